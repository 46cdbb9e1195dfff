import time
from html.parser import HTMLParser

import pytest

from hub.cards.markdown import MAX_CHARS, Heading, _Cleaner, render, text_of

SAFE_ATTRIBUTES = {
    *("align", "alt", "class", "colspan", "controls", "dir", "height", "href", "id", "lang"),
    *("loading", "loop", "muted", "open", "preload", "referrerpolicy", "rel", "rowspan", "scope"),
    *("span", "src", "start", "title", "type", "valign", "width", "reversed"),
}
SAFE_TAGS = set(
    "a audio blockquote br code del details div em h1 h2 h3 hr img li ol p picture pre s span "  # noqa: SIM905
    "strong summary table tbody td th thead tr ul video b".split()
)

PAYLOADS = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror\n=alert(1)//",
    '<img srcset="https://e.com/x 1x" src=javascript:alert(1)>',
    "<svg onload=alert(1)><circle/></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src onerror=x&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<style>@import 'https://e.com/x.css'</style>",
    "<p style='position:fixed;inset:0;background:url(javascript:alert(1))'>x</p>",
    "<a href='jav&#x09;ascript:alert(1)'>x</a>",
    "<a href='&#106;avascript&colon;alert(1)'>x</a>",
    "<a href='  javascript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='java\u200bscript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "<javascript:alert(1)>",
    "<button hx-get='/logout' hx-trigger='load'>x</button>",
    "<div hx-post='/settings/delete' hx-trigger=load data-hx-get='/x'>x</div>",
    "<form action='https://e.com'><input name=password><button>go</button></form>",
    "<base href='https://e.com/'>",
    "<meta http-equiv=refresh content='0;url=https://e.com'>",
    "<link rel=stylesheet href='https://e.com/x.css'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='x.swf'></object><embed src='x.swf'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'>",
    "<title><img title='</title><img src=x onerror=alert(1)>'>",
    "<xmp><img title='</xmp><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<?xml version='1.0'?><x onclick=alert(1)>",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<img id=csrfmiddlewaretoken name=cookie class=admin src=x>",
    "<a id=content name=main class='btn primary' href=/x>x</a>",
    "<video src=x onloadstart=alert(1) autoplay poster=javascript:alert(1)></video>",
    "<audio src=javascript:alert(1)></audio>",
    "<details ontoggle=alert(1) open>x</details>",
    "<copy-button onclick=alert(1)>x</copy-button>",
    "`<img src=x onerror=alert(1)>`",
    "```<img/onerror=alert(1)>\nx\n```",
    "| <img src=x onerror=alert(1)> |\n|-|\n| <script>x</script> |",
    "# <img src=x onerror=alert(1)>",
    '[x](https://e.com "onmouseover=alert(1)")',
    '!["onerror=alert(1)](x.png)',
]


class Elements(HTMLParser):
    """What a browser would make of a text: its elements with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def rendered(text: str) -> str:
    return render(text, link=lambda path: f"/blob/{path}", image=lambda path: f"/raw/{path}").html


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("around", ["{}", "text {} text", "> - {}\n", "<div>\n\n{}\n\n</div>"])
def test_nothing_that_could_act_survives(payload: str, around: str) -> None:
    for tag, attributes in Elements(rendered(around.replace("{}", payload))).found:
        assert tag in SAFE_TAGS
        assert set(attributes) <= SAFE_ATTRIBUTES
        assert "id" not in attributes or str(attributes["id"]).startswith("card-")
        assert "class" not in attributes or str(attributes["class"]).startswith("language-")
        for address in (attributes.get("href"), attributes.get("src")):
            assert (address or "/").startswith(("/", "https://", "http://", "mailto:", "#card-"))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_parsing_the_result_as_a_browser_does_brings_nothing_new(payload: str) -> None:
    once = render(payload, link="/{}".format, image="/{}".format)
    anchors = frozenset(heading.anchor for heading in once.headings)

    again = _Cleaner(anchors, str, str).clean(once.html)

    assert Elements(again).found == Elements(once.html).found


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("[a](docs/a.md)", 'href="/blob/docs/a.md"'),
        ("[a](./docs/../a.md)", 'href="/blob/a.md"'),
        ("[a](../../../settings)", 'href="/blob/settings"'),
        ("[a](%2e%2e/settings)", 'href="/blob/settings"'),
        ("[a](a.md#part)", 'href="/blob/a.md#part"'),
        ("[a](#part)", 'href="#card-part"'),
        ("[a](/acme/other)", 'href="/acme/other"'),
        ("[a](//e.com/x)", 'href="https://e.com/x"'),
        (r"<a href='\\e.com/x'>a</a>", 'href="https://e.com/x"'),
        ("[a](mailto:ada@example.org)", 'href="mailto:ada@example.org"'),
        ("![a](pic.png?raw=true)", 'src="/raw/pic.png"'),
        ("<img src='my%20pic.png'>", 'src="/raw/my pic.png"'),
        ("![a](https://e.com/x.png)", 'src="https://e.com/x.png"'),
    ],
)
def test_addresses_lead_where_the_repo_is(markdown: str, html: str) -> None:
    assert html in rendered(markdown)


@pytest.mark.parametrize("path", ["./javascript:alert(1)", "%6aavascript:alert(1)", "x/../data:,x"])
def test_file_named_like_a_scheme_is_no_address_by_itself(path: str) -> None:
    assert "href" not in render(f"[a]({path})", link=str, image=str).html


def test_links_give_no_credit_and_images_tell_little() -> None:
    html = rendered("[a](https://e.com) ![b](https://e.com/b.png)")

    assert 'rel="nofollow noopener ugc"' in html
    assert 'loading="lazy"' in html
    assert 'referrerpolicy="no-referrer"' in html


def test_media_come_from_the_repo_alone() -> None:
    html = rendered("<video src='https://e.com/a.mp4'></video><video src='b.mp4'></video>")

    assert "e.com" not in html
    assert 'src="/raw/b.mp4"' in html


def test_headings_have_anchors_in_a_name_space_of_their_own() -> None:
    text = "# Über *uns*\n\n## Use `it`!\n\n## Use it\n\n### 日本\n\n# !\n"

    result = render(text, link=str, image=str)

    assert result.headings == (
        Heading(1, "Über uns", "card-über-uns"),
        Heading(2, "Use it!", "card-use-it"),
        Heading(2, "Use it", "card-use-it-1"),
        Heading(3, "日本", "card-日本"),
        Heading(1, "!", "card-section"),
    )
    assert '<h2 id="card-use-it-1">' in result.html


def test_tables_code_and_details_look_as_written() -> None:
    html = rendered("|a|\n|-:|\n|~~b~~|\n\n```python\nx < 1\n```\n<details open>c</details>")

    assert '<td align="right"><s>b</s></td>' in html
    assert '<code class="language-python">x &lt; 1\n</code>' in html
    assert '<details open="">c</details>' in html


def test_bare_addresses_stay_text() -> None:
    assert "<a" not in rendered("see https://e.com and ada@e.com")


def test_text_of_a_card_has_no_markup() -> None:
    assert text_of(rendered("# A\n\n- b & *c*\n- `<d>`\n\n<script>e</script>")) == "A b & c <d>"


@pytest.mark.parametrize(
    "piece", ["[", "*a", "![[]()", "<div>", "> ", "_a_ ", "`", "# a\n", "[a](<", "|a|\n|-|\n"]
)
def test_hostile_text_is_rendered_in_bounded_time(piece: str) -> None:
    started = time.perf_counter()

    rendered(piece * (MAX_CHARS // len(piece) * 2))

    assert time.perf_counter() - started < 30
