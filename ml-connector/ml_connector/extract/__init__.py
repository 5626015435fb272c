"""What every ERP tap has in common; a tap is its API, its settings and its declarations.

`tap.Tap` is what a tap derives from, `resource` what it declares its streams with, `source.Source` what it
writes for its API. The rest follows from these three.
"""
