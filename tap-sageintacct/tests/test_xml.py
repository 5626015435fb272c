"""Answers of the gateway as the public SDKs' tests have them (reference sections 1.3, 1.4 and 5.1)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from ml_connector.extract.errors import Transient

from tap_sageintacct import records, xml
from tap_sageintacct.errors import Said
from tap_sageintacct.xml import NotXml, Records, element, read, request

CONTROL = "<control><status>success</status><senderid>s</senderid><controlid>c</controlid></control>"
SIGNED = (
    "<authentication><status>success</status><userid>u</userid><companyid>c</companyid>"
    "<sessiontimestamp>2026-01-01T00:00:00+00:00</sessiontimestamp></authentication>"
)


@pytest.fixture(autouse=True, scope="module")
def _no_record_is_too_few():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(xml, "FEW", 0)
        yield


def answer(results, authentication=SIGNED, control=CONTROL):
    return f"<response>{control}<operation>{authentication}{results}</operation></response>".encode()


ROWS = (
    "<VENDOR><RECORDNO>1</RECORDNO><NAME>A &amp; B</NAME><COMMENTS></COMMENTS></VENDOR>"
    "<VENDOR><RECORDNO>2</RECORDNO><NAME>C</NAME><COMMENTS>x</COMMENTS></VENDOR>"
)


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        ROWS.replace("<COMMENTS></COMMENTS>", "<COMMENTS/>"),
        ROWS.replace("</VENDOR><VENDOR>", "</VENDOR>\n <VENDOR>"),
        ROWS.replace("A &amp; B", "A &#38; B"),
        ROWS.replace("A &amp; B", "<![CDATA[A & B]]>"),
        ROWS.replace("A &amp; B", "A<!-- and --> &amp; B"),
        ROWS.replace("<NAME>A", "<NAME lang='en'>A"),
    ],
)
def test_rows_and_counters_of_a_query(rows):
    """Whether the records are all alike, so that a pattern reads them, or not."""
    found = read(
        answer(
            "<result><status>success</status><function>query</function><controlid>7</controlid>"
            '<data listtype="VENDOR" totalcount="3" offset="0" count="2" numremaining="1">'
            f"{rows}</data></result>"
        )
    )
    (result,) = found.results
    assert not result.failed
    assert result.attributes["numremaining"] == "1"
    assert len(result.records) == 2
    assert result.records.last == {"RECORDNO": "2", "NAME": "C", "COMMENTS": "x"}
    assert result.rows == [
        {"RECORDNO": "1", "NAME": "A & B", "COMMENTS": None},
        {"RECORDNO": "2", "NAME": "C", "COMMENTS": "x"},
    ]
    level = result.records.levels()[()]
    assert level.count == 2
    assert level.columns == {"RECORDNO": ["1", "2"], "NAME": ["A & B", "C"], "COMMENTS": [None, "x"]}
    assert found.timestamp == "2026-01-01T00:00:00+00:00"
    assert found.control_errors is None
    assert found.sign_in_errors is None


ERROR = "<error><errorno>{}</errorno><description></description><description2>{}</description2><correction></correction></error>"


def test_a_control_failure():
    body = (
        "<response><control><status>failure</status><senderid></senderid><controlid></controlid></control>"
        f"<errormessage>{ERROR.format('PL04000055', 'This company is a demo company and has expired.')}"
        "</errormessage></response>"
    )
    found = read(body.encode())
    assert found.control_errors == [
        Said("PL04000055", "", "This company is a demo company and has expired.", "")
    ]
    assert found.results == []


def test_a_401_has_a_control_failure_too():
    body = (
        b"<response><control><status>failure</status></control><errormessage><error><errorno>XMLGW_JPP0002"
        b"</errorno><description>Sign-in information is incorrect.</description></error></errormessage></response>"
    )
    assert read(body).control_errors == [Said("XMLGW_JPP0002", "Sign-in information is incorrect.", "", "")]


def test_a_sign_in_failure_has_its_errors_beside_the_authentication():
    failed = (
        "<authentication><status>failure</status><userid></userid><companyid></companyid></authentication>"
    )
    found = read(
        answer(f"<errormessage>{ERROR.format('XL03000006', 'Invalid session q....')}</errormessage>", failed)
    )
    assert found.sign_in_errors == [Said("XL03000006", "", "Invalid session q....", "")]


def test_results_that_failed_and_that_were_rolled_back():
    found = read(
        answer(
            "<result><status>aborted</status><function>a</function><controlid>0</controlid><errormessage>"
            + ERROR.format("Query Failed", "Object definition BADOBJECT not found")
            + ERROR.format("XL03000009", "The entire transaction has been rolled back.")
            + "</errormessage></result>"
            "<result><status>failure</status><function>b</function><controlid>1</controlid>"
            '<data listtype="objects" count="0"/><errormessage>'
            + ERROR.format("BL01001973", "Could not create it.")
            + "</errormessage></result>"
        )
    )
    assert [result.failed for result in found.results] == [True, True]
    assert [[said.errorno for said in result.errors] for result in found.results] == [
        ["Query Failed", "XL03000009"],
        ["BL01001973"],
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Service Unavailable</body></html>",
        b"<!DOCTYPE html><html><div id='cf-error-details'></div></html>",
        answer("<result><status>success</status>")[:-40],
        b"{}",
    ],
)
def test_what_is_no_answer_from_end_to_end(body):
    with pytest.raises(NotXml):
        read(body)


def test_a_request_is_the_documented_envelope():
    asked = element("query", element("object", text="VENDOR"))
    root = etree.fromstring(request(("me", "it's <secret>"), element("sessionid", text="s"), [("0", asked)]))
    assert [child.tag for child in root] == ["control", "operation"]
    assert [child.tag for child in root[0]] == [
        "senderid",
        "password",
        "controlid",
        "uniqueid",
        "dtdversion",
        "includewhitespace",
    ]
    assert root.findtext("control/password") == "it's <secret>"
    assert root.findtext("control/uniqueid") == "false"
    assert root.findtext("operation/authentication/sessionid") == "s"
    assert root.find("operation/content/function").get("controlid") == "0"
    assert root.findtext("operation/content/function/query/object") == "VENDOR"


def test_what_xml_forbids_is_taken_out_before_it_is_escaped():
    made = element("value", text="a\x00b\x08c\td\ne\x1f\ufffe<&>")
    assert etree.tostring(made) == b"<value>abc\td\ne&lt;&amp;&gt;</value>"
    assert xml.clean("tab\tstays") == "tab\tstays"


def test_records_that_are_not_alike_have_what_they_have():
    rows = "<A><X>1</X></A><A><Y>2</Y></A>"
    found = read(answer(f"<result><status>success</status><data>{rows}</data></result>")).results[0]
    level = found.records.levels()[()]
    assert level.columns == {"X": ["1", msgspec.UNSET], "Y": [msgspec.UNSET, "2"]}


def test_a_page_that_is_no_xml_inside_is_said_when_it_is_taken_apart():
    rows = "<A><X>1</X></A><A><X>2</A>"
    found = read(answer(f"<result><status>success</status><data>{rows}</data></result>")).results[0]
    with pytest.raises(Transient) as told:
        found.records.levels()
    assert told.value.answered, "a smaller page may be whole"


@pytest.mark.parametrize("odd", ["\x0b", "&#31;", "&#x1f;", "\ufffe"])
def test_what_xml_forbids_is_taken_out_of_answers(odd):
    rows = f"<A><X>a{odd}b&#9;</X></A>"
    found = read(answer(f"<result><status>success</status><data>{rows}</data></result>"))
    assert found.cleaned
    assert found.results[0].rows == [{"X": "ab\t"}]


def page(rows):
    return answer(f"<result><status>success</status><data>{rows}</data></result>")


def taken_apart(body):
    """What a page holds, or that it is no XML."""
    try:
        found = read(body).results[0].records
        columns = found.levels()[()]
        return len(found), found.last, found.rows, columns.count, columns.columns
    except (NotXml, Transient):
        return None


def by_the_library(body):
    """The same of a page that is read as a tree from end to end."""
    try:
        root = etree.fromstring(xml._cleaned(body), etree.XMLParser(remove_comments=True, remove_pis=True))
    except etree.XMLSyntaxError:
        return None
    found = Records(elements=list(root.find(".//data")))
    columns = found.levels()[()]
    return len(found), found.last, found.rows, columns.count, columns.columns


PLAIN = [
    "x",
    " ",
    "ü€😀",
    "\r\n",
    "\r",
    "&amp;",
    "&lt;&quot;&apos;&gt;",
    "&amp;lt;",
    "&#13;",
    "&#x26;",
    "&#038;",
]
# fmt: off
ODD = [
    "]]>", "&odd;", "&", "&#;", "<", ">", "</", "/>", "A", "X", " ", "<![CDATA[</A><A>]]>", "<!-- </A><A> -->", "<?p?>",
    "<X>1</X>", "<X/>", "<X a='b'/>", "</X>", "<X>", "</X><X>", "<Z/>", "<A>1</A>", "<A/>", "</A>", "<A>", "</A><A>",
    "<A><A></A></A>", "<C><A>1</A><A>2</A></C>", "</data>", "<data>", "</data><data>", "</data><!-- ", "-->",
]
# fmt: on
ROWS = st.lists(
    st.tuples(*[st.lists(st.sampled_from(PLAIN), max_size=2).map("".join)] * 2), min_size=1, max_size=3
).map(lambda rows: "".join(f"<A><X>{x}</X><Y>{y}</Y></A>" for x, y in rows))


@settings(max_examples=400, deadline=None)
@given(ROWS, st.lists(st.tuples(st.sampled_from(ODD), st.floats(0, 1)), max_size=2))
def test_any_page_is_read_as_the_xml_library_reads_it(rows, inserted):
    for odd, where in inserted:
        # between two characters of a tag, too
        place = round(where * len(rows))
        rows = rows[:place] + odd + rows[place:]
    assert taken_apart(page(rows)) == by_the_library(page(rows))


def test_each_result_has_its_own_records():
    """Also where some have none, and where records are no such plain ones: the answer of a first request."""
    given = [
        '<data count="0"/>',
        "<data><A><X>1</X></A><A><X>2</X></A></data>",
        "",
        '<data><Type Name="A"><Fields><Field><ID>X</ID></Field></Fields></Type></data>',
        "<data>\n</data>",
        "<data></data>",
        "<data><B><Y>3</Y></B></data>",
    ]
    found = read(answer("".join(f"<result><status>success</status>{each}</result>" for each in given)))
    assert [result.rows for result in found.results] == [
        [],
        [{"X": "1"}, {"X": "2"}],
        [],
        [{"Fields": {"Field": {"ID": "X"}}}],
        [],
        [],
        [{"Y": "3"}],
    ]
    assert [len(result.records) for result in found.results] == [0, 2, 0, 1, 0, 0, 1]
    strange = answer(
        "<result><status>success</status><x><data><A><X>1</X></A></data></x><data><B/></data></result>"
    )
    assert read(strange).results[0].rows == [{}]


@pytest.mark.parametrize(
    "text", ["A &amp; B", "A &#38;&#x26; B&#13;", "A\r\nB\rC", "<", "Ā", "\N{GRINNING FACE}"]
)
def test_pages_of_records_that_are_alike_need_no_tree(text):
    """Of 2,000 records it takes ten times their memory."""
    rows = f"<A><X>{text.replace('<', '&lt;')}</X><Y/></A>" * 3
    assert records.columns(memoryview(rows.encode())) is not None
    assert taken_apart(page(rows)) == by_the_library(page(rows))


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ("<A><X><A>1</A><A>2</A></X></A>", 1),
        ("<A><A>1</A></A><A><A>1</A></A>", 2),
        ("<A><X>1</X></A><B><X>1</X></B>", 2),
        ("<A><X>1</X></A><A/><A><X>1</X></A>", 3),
        ("<A><X>1</X></A> <A><X>1</X></A>", 2),
    ],
)
def test_records_are_counted_whatever_is_in_them(rows, count):
    found = read(page(rows)).results[0].records
    assert (len(found), len(found.rows)) == (count, count)
    assert found.last == found.rows[-1]
