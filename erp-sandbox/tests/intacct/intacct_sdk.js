// What Sage's own SDK gets from a gateway; prints one JSON object.
// usage: node intacct_sdk.js PORT
const dns = require("dns");
const lookup = dns.lookup;
// the SDK takes names under intacct.com only: this one is here
dns.lookup = (host, options, callback) => {
  if (typeof options === "function") { callback = options; options = {}; }
  if (!host.endsWith(".intacct.com")) return lookup(host, options, callback);
  return options.all ? callback(null, [{ address: "127.0.0.1", family: 4 }]) : callback(null, "127.0.0.1", 4);
};
const sdk = require("@intacct/intacct-sdk");
const common = sdk.Functions.Common;

function configured(password) {
  const config = new sdk.ClientConfig();
  config.senderId = "SENDER";
  config.senderPassword = "SENDERPASS";
  config.companyId = "SAMINC";
  config.userId = "WEBUSER";
  config.userPassword = password;
  config.endpointUrl = `http://sim.intacct.com:${process.argv[2]}/ia/xml/xmlgw.phtml`;
  return config;
}

async function refused(promise) {
  try { await promise; } catch (error) { return [error.constructor.name, error.errors || error.message]; }
  return null;
}

(async () => {
  const config = await sdk.SessionProvider.factory(configured("WEBPASS"));
  const client = new sdk.OnlineClient(config);
  const query = new common.NewQuery.Query();
  query.fromObject = "VENDOR";
  query.selectFields = ["RECORDNO", "VENDORID"].map((name) => new common.NewQuery.QuerySelect.Field(name));
  query.pageSize = 2000;
  const vendors = (await client.execute(query)).getResult();
  const byQuery = new common.ReadByQuery();
  byQuery.objectName = "APBILL";
  byQuery.fields = ["RECORDNO"];
  byQuery.pageSize = 7;
  const bills = [];
  let page = (await client.execute(byQuery)).getResult();
  const total = page.totalCount;
  for (;;) {
    bills.push(...page.data.map((bill) => bill.RECORDNO));
    if (page.numRemaining === 0) break;
    const more = new common.ReadMore();
    more.resultId = page.resultId;
    page = (await client.execute(more)).getResult();
  }
  const read = new common.Read();
  read.objectName = "APBILL";
  read.keys = [1, 2];
  const missing = new common.ReadByQuery();
  missing.objectName = "BADOBJECT";
  const stale = configured("WEBPASS");
  stale.sessionId = "stale";
  console.log(JSON.stringify({
    session: config.sessionId.length > 10,
    vendors: vendors.data.map((vendor) => vendor.VENDORID),
    counted: [vendors.totalCount, vendors.count, vendors.numRemaining],
    bills, total,
    read: (await client.execute(read)).getResult().data.map((bill) => bill.RECORDNO),
    missing: await refused(client.execute(missing)),
    wrong: await refused(sdk.SessionProvider.factory(configured("WRONG"))),
    stale: await refused(new sdk.OnlineClient(stale).execute(query)),
  }));
})().catch((error) => { console.error(error); process.exit(1); });
