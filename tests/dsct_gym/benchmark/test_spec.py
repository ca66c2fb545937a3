import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dsct_gym import InputError
from dsct_gym.benchmark.spec import Spec, parse_setting, parse_specs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", [("a", {})]),
        (" a, m.o:C ,a", [("a", {}), ("m.o:C", {})]),
        ("b[x=1,y-z=true, w=text],c", [("b", {"x": 1, "y_z": True, "w": "text"}), ("c", {})]),
        ("b[],", [("b", {})]),
        ("b[x=1] , b[ x=1 ],b[x=2]", [("b", {"x": 1}), ("b", {"x": 2})]),
        (" , ", []),
        ("", []),
        ("a[x=[1,2],y=3]", [("a", {"x": [1, 2], "y": 3})]),
        ('a[x={"k": [1, {"l": 2}]}],b', [("a", {"x": {"k": [1, {"l": 2}]}}), ("b", {})]),
        ("a[start=b[x=1,y=2],z=0]", [("a", {"start": "b[x=1,y=2]", "z": 0})]),
        ('a[p="x,y].zip"]', [("a", {"p": "x,y].zip"})]),
        ("a[p=runs[1]/p.zip,q=/a b/c=d]", [("a", {"p": "runs[1]/p.zip", "q": "/a b/c=d"})]),
        ("a[x=1.5.2,y=0x1,z=1 2]", [("a", {"x": "1.5.2", "y": "0x1", "z": "1 2"})]),
        ('a[x=5"disk,y="half]', [("a", {"x": '5"disk', "y": '"half'})]),
        ('a[x="1",y=,z=null]', [("a", {"x": "1", "y": "", "z": None})]),
    ],
)
def test_reads(text, expected):
    assert [(spec.name, spec.options) for spec in parse_specs(text, "solvers")] == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a[x=1", "brackets do not match"),
        ("a]", "brackets do not match"),
        ("a[x=[1]", "brackets do not match"),
        ("a[x=b[1]", "brackets do not match"),
        ("a[x=" + "[" * 100_000, "brackets do not match"),
        ("a[[x=1]]", "expected option=value"),
        ("a[x]", "expected option=value"),
        ("a[x=1,y]", "expected option=value"),
        ("a[=1]", "expected option=value"),
        ("a[x=1]b", "no comma after ]"),
        ("[x=1]", "no name"),
        ("a, [x=1]", "no name"),
    ],
)
def test_refuses(text, told):
    with pytest.raises(InputError) as refused:
        parse_specs(text, "solvers")
    assert str(refused.value).startswith(f"solvers: {told}")


@pytest.mark.parametrize("text", ["", " , ", "a,b"])
def test_one_is_one(text):
    with pytest.raises(InputError, match=r"^method: expected one name"):
        Spec.parse(text, "method")


def test_is_named_with_its_options():
    assert Spec("mip").label == "mip"
    spec = Spec("mip", {"threads": 1, "start": "greedy"})
    assert spec.label == "mip[start=greedy,threads=1]"
    assert spec.labelled("a note") == "mip[start=greedy,threads=1,a note]"
    assert Spec("mip").labelled("a note") == "mip[a note]"
    assert spec == Spec("mip", {"start": "greedy", "threads": 1})
    assert len({spec, Spec("mip", {"start": "greedy", "threads": 1}), Spec("mip")}) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
TRICKY = st.text(alphabet='a1,[]{}"=\\ .-', max_size=8)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,5}", fullmatch=True), JSON | TRICKY, max_size=3))
@example({"a": '"', "b": '"'})
@example({"a": '["]', "b": '"'})
@example({"a": '{"a', "b": '":1}'})
def test_whatever_is_named_reads_back(options):
    spec = Spec("module.of:Class", options)
    assert Spec.parse(spec.label) == spec
    assert parse_specs(f"{spec.label},b", "solvers") == [spec, Spec("b")]


def test_a_setting_alone_needs_no_brackets():
    assert parse_setting("a-b=1") == ("a_b", 1)
    assert parse_setting("path=x,[y].zip") == ("path", "x,[y].zip")
    for text in ("a", "=1", " =1"):
        with pytest.raises(InputError, match=r"^--option: expected key=value"):
            parse_setting(text)


def test_makes_its_solver_or_says_why_not():
    assert Spec("annealing", {"moves": 3}).make().moves == 3
    with pytest.raises(InputError, match=r"^x: solver 'greedy' has no such option"):
        Spec("greedy", {"x": 1}).make()
    with pytest.raises(InputError, match=r"^option: solver '.*Picky' refuses moves=many \("):
        Spec("stub_solvers:Picky", {"moves": "many"}).make()
