// node_modules/dompurify/dist/purify.es.mjs
function e(e, t) {
	this.v = e, this.k = t;
}
function t(e, t) {
	(t == null || t > e.length) && (t = e.length);
	for (var n = 0, r = Array(t); n < t; n++) r[n] = e[n];
	return r;
}
function n(e) {
	if (Array.isArray(e)) return e;
}
function r(e, t) {
	var n = e == null ? null : typeof Symbol < "u" && e[Symbol.iterator] || e["@@iterator"];
	if (n != null) {
		var r, i, a, o, s = [], c = !0, l = !1;
		try {
			if (a = (n = n.call(e)).next, t === 0) {
				if (Object(n) !== n) return;
				c = !1;
			} else for (; !(c = (r = a.call(n)).done) && (s.push(r.value), s.length !== t); c = !0);
		} catch (e) {
			l = !0, i = e;
		} finally {
			try {
				if (!c && n.return != null && (o = n.return(), Object(o) !== o)) return;
			} finally {
				if (l) throw i;
			}
		}
		return s;
	}
}
function i() {
	throw TypeError("Invalid attempt to destructure non-iterable instance.\nIn order to be iterable, non-array objects must have a [Symbol.iterator]() method.");
}
function a(e, t) {
	return n(e) || r(e, t) || o(e, t) || i();
}
function o(e, n) {
	if (e) {
		if (typeof e == "string") return t(e, n);
		var r = {}.toString.call(e).slice(8, -1);
		return r === "Object" && e.constructor && (r = e.constructor.name), r === "Map" || r === "Set" ? Array.from(e) : r === "Arguments" || /^(?:Ui|I)nt(?:8|16|32)(?:Clamped)?Array$/.test(r) ? t(e, n) : void 0;
	}
}
function s(t) {
	var n, r;
	function i(n, r) {
		try {
			var o = t[n](r), s = o.value, c = s instanceof e;
			Promise.resolve(c ? s.v : s).then(function(e) {
				if (c) {
					var r = n === "return" && s.k ? n : "next";
					if (!s.k || e.done) return i(r, e);
					e = t[r](e).value;
				}
				a(!!o.done, e);
			}, function(e) {
				i("throw", e);
			});
		} catch (e) {
			a(2, e);
		}
	}
	function a(e, t) {
		e === 2 ? n.reject(t) : n.resolve({
			value: t,
			done: e
		}), (n = n.next) ? i(n.key, n.arg) : r = null;
	}
	this._invoke = function(e, t) {
		return new Promise(function(a, o) {
			var s = {
				key: e,
				arg: t,
				resolve: a,
				reject: o,
				next: null
			};
			r ? r = r.next = s : (n = r = s, i(e, t));
		});
	}, typeof t.return != "function" && (this.return = void 0);
}
s.prototype[typeof Symbol == "function" && Symbol.asyncIterator || "@@asyncIterator"] = function() {
	return this;
}, s.prototype.next = function(e) {
	return this._invoke("next", e);
}, s.prototype.throw = function(e) {
	return this._invoke("throw", e);
}, s.prototype.return = function(e) {
	return this._invoke("return", e);
};
var c = Object.entries, l = Object.keys, u = Object.setPrototypeOf, d = Object.isFrozen, f = Object.getPrototypeOf, p = Object.getOwnPropertyDescriptor, m = Object.freeze, h = Object.seal, g = Object.create, ee = typeof Reflect < "u" && Reflect, te = ee.apply, ne = ee.construct;
m ||= function(e) {
	return e;
}, h ||= function(e) {
	return e;
}, te ||= function(e, t) {
	var n = [...arguments].slice(2);
	return e.apply(t, n);
}, ne ||= function(e) {
	return new e(...[...arguments].slice(1));
};
var _ = S(Array.prototype.forEach), re = S(Array.prototype.lastIndexOf), ie = S(Array.prototype.pop), ae = S(Array.prototype.push), oe = S(Array.prototype.slice), se = S(Array.prototype.splice), ce = Array.isArray, le = C(Set), ue = S(Set.prototype.add), de = S(Set.prototype.has), fe = S(String.prototype.toLowerCase), pe = S(String.prototype.toString), me = S(String.prototype.match), he = S(String.prototype.replace), ge = S(String.prototype.indexOf), _e = S(String.prototype.trim), ve = S(Number.prototype.toString), ye = S(Boolean.prototype.toString), be = typeof BigInt > "u" ? null : S(BigInt.prototype.toString), xe = typeof Symbol > "u" ? null : S(Symbol.prototype.toString), v = S(Object.prototype.hasOwnProperty), y = S(Object.prototype.toString), Se = RegExp.prototype.test, b = function(e, t) {
	return e instanceof RegExp && (e.lastIndex = 0), te(Se, e, [t]);
}, x = C(TypeError);
function S(e) {
	return function(t) {
		var n = [...arguments].slice(1);
		return te(e, t, n);
	};
}
function C(e) {
	return function() {
		return ne(e, [...arguments]);
	};
}
function w(e, t) {
	let n = arguments.length > 2 && arguments[2] !== void 0 ? arguments[2] : fe;
	if (u && u(e, null), !ce(t)) return e;
	let r = t.length;
	for (; r--;) {
		let i = t[r];
		if (typeof i == "string") {
			let e = n(i);
			e !== i && (d(t) || (t[r] = e), i = e);
		}
		e[i] = !0;
	}
	return e;
}
function Ce(e) {
	for (let t = 0; t < e.length; t++) v(e, t) || (e[t] = null);
	return e;
}
function we(e) {
	let t = g(null);
	for (let r of c(e)) {
		var n = a(r, 2);
		let i = n[0], o = n[1];
		v(e, i) && (t[i] = ce(o) ? Ce(o) : o && typeof o == "object" && o.constructor === Object ? we(o) : o);
	}
	return t;
}
function Te(e) {
	let t = g(null), n = l(e), r = n.length;
	for (; r--;) t[n[r]] = e[n[r]];
	return t;
}
function Ee(e) {
	switch (typeof e) {
		case "string": return e;
		case "number": return ve(e);
		case "boolean": return ye(e);
		case "bigint": return be ? be(e) : "0";
		case "symbol": return xe ? xe(e) : "Symbol()";
		case "undefined": return y(e);
		case "function":
		case "object": {
			if (e === null) return y(e);
			let t = e, n = T(t, "toString");
			if (typeof n == "function") {
				let e = n(t);
				return typeof e == "string" ? e : y(e);
			}
			return y(e);
		}
		default: return y(e);
	}
}
function T(e, t) {
	for (; e !== null;) {
		let n = p(e, t);
		if (n) {
			if (n.get) return S(n.get);
			if (typeof n.value == "function") return S(n.value);
		}
		e = f(e);
	}
	function n() {
		return null;
	}
	return n;
}
function De(e, t) {
	for (; e !== null;) {
		let n = p(e, t);
		if (n) return n.get ? S(n.get) : null;
		e = f(e);
	}
	return null;
}
function Oe(e) {
	if (!e) return !1;
	try {
		return b(e, ""), !0;
	} catch {
		return !1;
	}
}
var ke = m(/* @__PURE__ */ "a.abbr.acronym.address.area.article.aside.audio.b.bdi.bdo.big.blink.blockquote.body.br.button.canvas.caption.center.cite.code.col.colgroup.content.data.datalist.dd.decorator.del.details.dfn.dialog.dir.div.dl.dt.element.em.fieldset.figcaption.figure.font.footer.form.h1.h2.h3.h4.h5.h6.head.header.hgroup.hr.html.i.img.input.ins.kbd.label.legend.li.main.map.mark.marquee.menu.menuitem.meter.nav.nobr.ol.optgroup.option.output.p.picture.pre.progress.q.rp.rt.ruby.s.samp.search.section.select.shadow.slot.small.source.spacer.span.strike.strong.style.sub.summary.sup.table.tbody.td.template.textarea.tfoot.th.thead.time.tr.track.tt.u.ul.var.video.wbr".split(".")), Ae = m(/* @__PURE__ */ "svg.a.altglyph.altglyphdef.altglyphitem.animatecolor.animatemotion.animatetransform.circle.clippath.defs.desc.ellipse.filter.font.g.glyph.glyphref.hkern.image.line.lineargradient.marker.mask.metadata.mpath.path.pattern.polygon.polyline.radialgradient.rect.stop.style.switch.symbol.text.textpath.title.tref.tspan.view.vkern".split(".")), je = m([
	"feBlend",
	"feColorMatrix",
	"feComponentTransfer",
	"feComposite",
	"feConvolveMatrix",
	"feDiffuseLighting",
	"feDisplacementMap",
	"feDistantLight",
	"feDropShadow",
	"feFlood",
	"feFuncA",
	"feFuncB",
	"feFuncG",
	"feFuncR",
	"feGaussianBlur",
	"feImage",
	"feMerge",
	"feMergeNode",
	"feMorphology",
	"feOffset",
	"fePointLight",
	"feSpecularLighting",
	"feSpotLight",
	"feTile",
	"feTurbulence"
]), Me = m([
	"animate",
	"color-profile",
	"cursor",
	"discard",
	"font-face",
	"font-face-format",
	"font-face-name",
	"font-face-src",
	"font-face-uri",
	"foreignobject",
	"hatch",
	"hatchpath",
	"mesh",
	"meshgradient",
	"meshpatch",
	"meshrow",
	"missing-glyph",
	"script",
	"set",
	"solidcolor",
	"unknown",
	"use"
]), Ne = m(/* @__PURE__ */ "math.menclose.merror.mfenced.mfrac.mglyph.mi.mlabeledtr.mmultiscripts.mn.mo.mover.mpadded.mphantom.mroot.mrow.ms.mspace.msqrt.mstyle.msub.msup.msubsup.mtable.mtd.mtext.mtr.munder.munderover.mprescripts".split(".")), Pe = m([
	"maction",
	"maligngroup",
	"malignmark",
	"mlongdiv",
	"mscarries",
	"mscarry",
	"msgroup",
	"mstack",
	"msline",
	"msrow",
	"semantics",
	"annotation",
	"annotation-xml",
	"mprescripts",
	"none"
]), Fe = m(["#text"]), Ie = m(/* @__PURE__ */ "accept.action.align.alt.autocapitalize.autocomplete.autopictureinpicture.autoplay.background.bgcolor.border.capture.cellpadding.cellspacing.checked.cite.class.clear.color.cols.colspan.command.commandfor.controls.controlslist.coords.crossorigin.datetime.decoding.default.dir.disabled.disablepictureinpicture.disableremoteplayback.download.draggable.enctype.enterkeyhint.exportparts.face.for.headers.height.hidden.high.href.hreflang.id.inert.inputmode.integrity.ismap.kind.label.lang.list.loading.loop.low.max.maxlength.media.method.min.minlength.multiple.muted.name.nonce.noshade.novalidate.nowrap.open.optimum.part.pattern.placeholder.playsinline.popover.popovertarget.popovertargetaction.poster.preload.pubdate.radiogroup.readonly.rel.required.rev.reversed.role.rows.rowspan.spellcheck.scope.selected.shape.size.sizes.slot.span.srclang.start.src.srcset.step.style.summary.tabindex.title.translate.type.usemap.valign.value.width.wrap.xmlns".split(".")), Le = m(/* @__PURE__ */ "accent-height.accumulate.additive.alignment-baseline.amplitude.ascent.attributename.attributetype.azimuth.basefrequency.baseline-shift.begin.bias.by.class.clip.clippathunits.clip-path.clip-rule.color.color-interpolation.color-interpolation-filters.color-profile.color-rendering.cx.cy.d.dx.dy.diffuseconstant.direction.display.divisor.dominant-baseline.dur.edgemode.elevation.end.exponent.fill.fill-opacity.fill-rule.filter.filterunits.flood-color.flood-opacity.font-family.font-size.font-size-adjust.font-stretch.font-style.font-variant.font-weight.fx.fy.g1.g2.glyph-name.glyphref.gradientunits.gradienttransform.height.href.id.image-rendering.in.in2.intercept.k.k1.k2.k3.k4.kerning.keypoints.keysplines.keytimes.lang.lengthadjust.letter-spacing.kernelmatrix.kernelunitlength.lighting-color.local.marker-end.marker-mid.marker-start.markerheight.markerunits.markerwidth.maskcontentunits.maskunits.max.mask.mask-type.media.method.mode.min.name.numoctaves.offset.operator.opacity.order.orient.orientation.origin.overflow.paint-order.path.pathlength.patterncontentunits.patterntransform.patternunits.pointer-events.points.preservealpha.preserveaspectratio.primitiveunits.r.rx.ry.radius.refx.refy.repeatcount.repeatdur.restart.result.rotate.scale.seed.shape-rendering.slope.specularconstant.specularexponent.spreadmethod.startoffset.stddeviation.stitchtiles.stop-color.stop-opacity.stroke-dasharray.stroke-dashoffset.stroke-linecap.stroke-linejoin.stroke-miterlimit.stroke-opacity.stroke.stroke-width.style.surfacescale.systemlanguage.tabindex.tablevalues.targetx.targety.transform.transform-origin.text-anchor.text-decoration.text-orientation.text-rendering.textlength.type.u1.u2.unicode.values.vector-effect.viewbox.visibility.version.vert-adv-y.vert-origin-x.vert-origin-y.width.word-spacing.wrap.writing-mode.xchannelselector.ychannelselector.x.x1.x2.xmlns.y.y1.y2.z.zoomandpan".split(".")), Re = m(/* @__PURE__ */ "accent.accentunder.align.bevelled.close.columnalign.columnlines.columnspacing.columnspan.denomalign.depth.dir.display.displaystyle.encoding.fence.frame.height.href.id.largeop.length.linethickness.lquote.lspace.mathbackground.mathcolor.mathsize.mathvariant.maxsize.minsize.movablelimits.notation.numalign.open.rowalign.rowlines.rowspacing.rowspan.rspace.rquote.scriptlevel.scriptminsize.scriptsizemultiplier.selection.separator.separators.stretchy.subscriptshift.supscriptshift.symmetric.voffset.width.xmlns".split(".")), ze = m([
	"xlink:href",
	"xml:id",
	"xlink:title",
	"xml:space",
	"xmlns:xlink"
]), Be = h(/{{[\w\W]*|^[\w\W]*}}/g), Ve = h(/<%[\w\W]*|^[\w\W]*%>/g), He = h(/\${[\w\W]*/g), Ue = h(/{{|}}|\${|<%|%>|&lt;%|%&gt;/), We = h(/^data-[\-\w.\u00B7-\uFFFF]+$/), Ge = h(/^aria-[\-\w]+$/), Ke = h(/^(?:(?:(?:f|ht)tps?|mailto|tel|callto|sms|cid|xmpp|matrix):|[^a-z]|[a-z+.\-]+(?:[^a-z+.\-:]|$))/i), qe = h(/^(?:\w+script|data):/i), Je = h(/[\u0000-\u0020\u00A0\u1680\u180E\u2000-\u2029\u205F\u3000]/g), Ye = h(/^html$/i), Xe = h(/^[a-z][.\w]*(-[.\w]+)+$/i), Ze = h(/<[/\w!]/g), Qe = h(/<[/\w]/g), $e = h(/<\/no(script|embed|frames)/i), et = h(/\/>/i), tt = h(/((--!?|])>)|<\/(style|script|title|xmp|textarea|noscript|iframe|noembed|noframes)/i), nt = h(/^[\r\n\t ]+/), E = {
	element: 1,
	text: 3,
	processingInstruction: 7,
	comment: 8,
	document: 9,
	documentFragment: 11
}, rt = m(w({}, [
	"style",
	"script",
	"xmp",
	"iframe",
	"noembed",
	"noframes",
	"plaintext",
	"noscript"
])), it = function() {
	return typeof window > "u" ? null : window;
}, at = function(e, t) {
	if (typeof e != "object" || typeof e.createPolicy != "function") return null;
	let n = null, r = "data-tt-policy-suffix";
	t && t.hasAttribute(r) && (n = t.getAttribute(r));
	let i = "dompurify" + (n ? "#" + n : "");
	try {
		return e.createPolicy(i, {
			createHTML(e) {
				return e;
			},
			createScriptURL(e) {
				return e;
			}
		});
	} catch {
		return console.warn("TrustedTypes policy " + i + " could not be created."), null;
	}
}, ot = function() {
	return {
		afterSanitizeAttributes: [],
		afterSanitizeElements: [],
		afterSanitizeShadowDOM: [],
		beforeSanitizeAttributes: [],
		beforeSanitizeElements: [],
		beforeSanitizeShadowDOM: [],
		uponSanitizeAttribute: [],
		uponSanitizeElement: [],
		uponSanitizeShadowNode: []
	};
}, D = function(e, t, n, r) {
	return v(e, t) && ce(e[t]) ? w(r.base ? Te(r.base) : {}, e[t], r.transform) : n;
}, st = function(e, t, n) {
	let r = v(e, t) ? e[t] : void 0;
	return r && typeof r == "object" ? we(r) : n;
};
function ct() {
	let e = arguments.length > 0 && arguments[0] !== void 0 ? arguments[0] : it(), t = (e) => ct(e);
	if (t.version = "3.4.18", t.removed = [], !e || !e.document || e.document.nodeType !== E.document || !e.Element) return t.isSupported = !1, t;
	let n = e.document, r = n, i = r.currentScript, a = e.HTMLTemplateElement, o = e.Node, s = e.Element, l = e.NodeFilter, u = e.DOMParser, d = e.trustedTypes, f = s.prototype, p = T(f, "cloneNode"), ee = T(f, "remove"), te = T(f, "removeAttributeNode"), ne = T(f, "nextSibling"), ve = T(f, "childNodes"), ye = T(f, "parentNode"), be = T(f, "shadowRoot"), xe = T(f, "attributes"), y = o && o.prototype ? T(o.prototype, "nodeType") : null, Se = o && o.prototype ? T(o.prototype, "nodeName") : null, S = o && o.prototype ? T(o.prototype, "ownerDocument") : null, C = function(e) {
		return y ? y(e) : e.nodeType;
	}, Ce = function(e) {
		return Se ? Se(e) : e.nodeName;
	}, lt = De(f, "namespaceURI"), O = function(e) {
		return lt ? lt(e) : e.namespaceURI;
	};
	if (typeof a == "function") {
		let e = n.createElement("template");
		e.content && e.content.ownerDocument && (n = e.content.ownerDocument);
	}
	let k, A = "", ut, dt = !1, ft = 0, pt = function() {
		if (ft > 0) throw x("A configured TRUSTED_TYPES_POLICY callback (createHTML or createScriptURL) must not call DOMPurify.sanitize, as that causes infinite recursion. Do not pass a policy whose callbacks wrap DOMPurify as TRUSTED_TYPES_POLICY; see the \"DOMPurify and Trusted Types\" section of the README.");
	}, mt = function(e) {
		pt(), ft++;
		try {
			return k.createHTML(e);
		} finally {
			ft--;
		}
	}, ht = function(e) {
		return k && qt ? mt(e) : e;
	}, gt = function(e) {
		pt(), ft++;
		try {
			return k.createScriptURL(e);
		} finally {
			ft--;
		}
	}, _t = function() {
		return dt ||= (ut = at(d, i), !0), ut;
	}, vt = n, yt = vt.implementation, bt = vt.createNodeIterator, xt = vt.createDocumentFragment, St = vt.getElementsByTagName, Ct = r.importNode, j = ot();
	t.isSupported = typeof c == "function" && typeof ye == "function" && yt && yt.createHTMLDocument !== void 0;
	let wt = Be, M = Ve, Tt = He, Et = We, Dt = Ge, Ot = qe, kt = Je, At = Xe, jt = Ke, N = null, Mt = w({}, [
		...ke,
		...Ae,
		...je,
		...Ne,
		...Fe
	]), P = null, Nt = w({}, [
		...Ie,
		...Le,
		...Re,
		...ze
	]), F = null, Pt = null, Ft = null, I = Object.seal(g(null, {
		tagCheck: {
			writable: !0,
			configurable: !1,
			enumerable: !0,
			value: null
		},
		attributeCheck: {
			writable: !0,
			configurable: !1,
			enumerable: !0,
			value: null
		}
	})), It = !0, Lt = !0, Rt = !1, zt = !0, L = !1, Bt = !0, R = !1, Vt = !1, Ht = null, Ut = null, Wt = !1, Gt = !1, Kt = !1, qt = !1, z = !0, Jt = !1, Yt = "user-content-", Xt = !0, Zt = !1, B = null, Qt = !1, $t = null, en = w({}, /* @__PURE__ */ "annotation-xml.audio.colgroup.desc.foreignobject.head.iframe.math.mi.mn.mo.ms.mtext.noembed.noframes.noscript.plaintext.script.selectedcontent.style.svg.template.thead.title.video.xmp".split(".")), tn = null, nn = w({}, [
		"audio",
		"video",
		"img",
		"source",
		"image",
		"track"
	]), rn = null, an = w({}, [
		"alt",
		"class",
		"for",
		"id",
		"label",
		"name",
		"pattern",
		"placeholder",
		"role",
		"summary",
		"title",
		"value",
		"style",
		"xmlns"
	]), on = "http://www.w3.org/1998/Math/MathML", sn = "http://www.w3.org/2000/svg", V = "http://www.w3.org/1999/xhtml", cn = V, ln = !1, un = null, dn = w({}, [
		on,
		sn,
		V
	], pe), fn = m(w({}, [
		"mi",
		"mo",
		"mn",
		"ms",
		"mtext"
	])), pn = null, mn = m(w({}, ["annotation-xml"])), hn = null, gn = m(g(null)), _n = w({}, [
		"title",
		"style",
		"font",
		"a",
		"script"
	]), vn = null, yn = ["application/xhtml+xml", "text/html"], H = null, bn = null, xn = n.createElement("form"), Sn = function(e) {
		return e instanceof RegExp || e instanceof Function;
	}, Cn = function() {
		let e = arguments.length > 0 && arguments[0] !== void 0 ? arguments[0] : {};
		e && typeof e == "object" || (e = {}), e = we(e), vn = yn.indexOf(e.PARSER_MEDIA_TYPE) === -1 ? "text/html" : e.PARSER_MEDIA_TYPE, H = vn === "application/xhtml+xml" ? pe : fe, N = D(e, "ALLOWED_TAGS", Mt, { transform: H }), P = D(e, "ALLOWED_ATTR", Nt, { transform: H }), un = D(e, "ALLOWED_NAMESPACES", dn, { transform: pe }), rn = D(e, "ADD_URI_SAFE_ATTR", an, {
			transform: H,
			base: an
		}), tn = D(e, "ADD_DATA_URI_TAGS", nn, {
			transform: H,
			base: nn
		}), $t = D(e, "FORBID_CONTENTS", en, { transform: H }), Pt = D(e, "FORBID_TAGS", g(null), { transform: H }), Ft = D(e, "FORBID_ATTR", g(null), { transform: H }), Qt = v(e, "USE_PROFILES") ? e.USE_PROFILES && typeof e.USE_PROFILES == "object" ? we(e.USE_PROFILES) : e.USE_PROFILES : !1, It = e.ALLOW_ARIA_ATTR !== !1, Lt = e.ALLOW_DATA_ATTR !== !1, Rt = e.ALLOW_UNKNOWN_PROTOCOLS || !1, zt = e.ALLOW_SELF_CLOSE_IN_ATTR !== !1, L = e.SAFE_FOR_TEMPLATES || !1, Bt = e.SAFE_FOR_XML !== !1, R = e.WHOLE_DOCUMENT || !1, Gt = e.RETURN_DOM || !1, Kt = e.RETURN_DOM_FRAGMENT || !1, qt = e.RETURN_TRUSTED_TYPE || !1, Wt = e.FORCE_BODY || !1, z = e.SANITIZE_DOM !== !1, Jt = e.SANITIZE_NAMED_PROPS || !1, Xt = e.KEEP_CONTENT !== !1, Zt = e.IN_PLACE || !1, jt = Oe(e.ALLOWED_URI_REGEXP) ? e.ALLOWED_URI_REGEXP : Ke, cn = typeof e.NAMESPACE == "string" ? e.NAMESPACE : V, pn = st(e, "MATHML_TEXT_INTEGRATION_POINTS", fn), hn = st(e, "HTML_INTEGRATION_POINTS", mn);
		let t = st(e, "CUSTOM_ELEMENT_HANDLING", gn);
		if (F = g(null), v(t, "tagNameCheck") && Sn(t.tagNameCheck) && (F.tagNameCheck = t.tagNameCheck), v(t, "attributeNameCheck") && Sn(t.attributeNameCheck) && (F.attributeNameCheck = t.attributeNameCheck), v(t, "allowCustomizedBuiltInElements") && typeof t.allowCustomizedBuiltInElements == "boolean" && (F.allowCustomizedBuiltInElements = t.allowCustomizedBuiltInElements), h(F), L && (Lt = !1), Kt && (Gt = !0), Qt && ((v(e, "ALLOWED_TAGS") || v(e, "ALLOWED_ATTR")) && typeof console < "u" && typeof console.warn == "function" && console.warn("DOMPurify: USE_PROFILES overrides ALLOWED_TAGS and ALLOWED_ATTR. Do not use these options together."), N = w({}, Fe), P = g(null), Qt.html === !0 && (w(N, ke), w(P, Ie)), Qt.svg === !0 && (w(N, Ae), w(P, Le), w(P, ze)), Qt.svgFilters === !0 && (w(N, je), w(P, Le), w(P, ze)), Qt.mathMl === !0 && (w(N, Ne), w(P, Re), w(P, ze))), I.tagCheck = null, I.attributeCheck = null, v(e, "ADD_TAGS") && (typeof e.ADD_TAGS == "function" ? I.tagCheck = e.ADD_TAGS : ce(e.ADD_TAGS) && (N === Mt && (N = Te(N)), w(N, e.ADD_TAGS, H))), v(e, "ADD_ATTR") && (typeof e.ADD_ATTR == "function" ? I.attributeCheck = e.ADD_ATTR : ce(e.ADD_ATTR) && (P === Nt && (P = Te(P)), w(P, e.ADD_ATTR, H))), v(e, "ADD_FORBID_CONTENTS") && ce(e.ADD_FORBID_CONTENTS) && ($t === en && ($t = Te($t)), w($t, e.ADD_FORBID_CONTENTS, H)), Xt && (N["#text"] = !0), R && w(N, [
			"html",
			"head",
			"body"
		]), N.table && (N.tbody = !0, delete Pt.tbody), e.TRUSTED_TYPES_POLICY) {
			if (typeof e.TRUSTED_TYPES_POLICY.createHTML != "function") throw x("TRUSTED_TYPES_POLICY configuration option must provide a \"createHTML\" hook.");
			if (typeof e.TRUSTED_TYPES_POLICY.createScriptURL != "function") throw x("TRUSTED_TYPES_POLICY configuration option must provide a \"createScriptURL\" hook.");
			let t = k;
			k = e.TRUSTED_TYPES_POLICY;
			try {
				A = mt("");
			} catch (e) {
				throw k = t, e;
			}
		} else e.TRUSTED_TYPES_POLICY === null ? (k = void 0, A = "") : (k === void 0 && (k = _t()), k && typeof A == "string" && (A = mt("")));
		bn = m(e);
	}, wn = w({}, [
		...Ae,
		...je,
		...Me
	]), Tn = w({}, [...Ne, ...Pe]), En = function(e, t, n) {
		return t === V ? e === "svg" : t === on ? e === "svg" && (n === "annotation-xml" || pn[n]) : !!wn[e];
	}, Dn = function(e, t, n) {
		return t === V ? e === "math" : t === sn ? e === "math" && hn[n] : !!Tn[e];
	}, On = function(e, t, n) {
		return t === sn && !hn[n] || t === on && !pn[n] ? !1 : !Tn[e] && (_n[e] || !wn[e]);
	}, kn = function(e) {
		let t = O(e), n = fe(Ce(e)), r = ye(e), i = cn, a = "template";
		return r && C(r) === E.element && (i = O(r), a = fe(Ce(r))), un[t] ? t === sn ? En(n, i, a) : t === on ? Dn(n, i, a) : t === V ? On(n, i, a) : vn === "application/xhtml+xml" : !1;
	}, An = function(e) {
		ae(t.removed, { element: e });
		try {
			ye(e).removeChild(e);
		} catch {
			if (ee(e), !ye(e)) throw x("a node selected for removal could not be detached from its tree and cannot be safely returned; refusing to sanitize in place");
		}
	}, jn = function(e, t, n) {
		try {
			te(e, t);
		} catch {
			try {
				e.removeAttribute(n);
			} catch {}
		}
	}, Mn = function(e) {
		Fn(e);
		let t = ve(e);
		t && _(oe(t), (e) => {
			try {
				ee(e);
			} catch {}
		}), C(e) === E.element && Pn(e, !1);
	}, Nn = function(e, n, r) {
		if (!r) try {
			r = n.getAttributeNode(e);
		} catch {
			r = null;
		}
		if (ae(t.removed, {
			attribute: r || null,
			from: n
		}), r) jn(n, r, e);
		else try {
			n.removeAttribute(e);
		} catch {}
		if (e === "is") {
			if (Gt || Kt) try {
				An(n);
			} catch {}
			else try {
				n.setAttribute(e, "");
			} catch {}
		}
	}, Pn = function(e, t) {
		let n = xe(e);
		if (n) for (let r = n.length - 1; r >= 0; --r) {
			let i = n[r], a = i && i.name;
			typeof a == "string" && !(t && P[H(a)]) && jn(e, i, a);
		}
	}, U = function(e, t) {
		let n = arguments.length > 2 && arguments[2] !== void 0 && arguments[2], r = [e];
		for (; r.length > 0;) {
			let e = r.pop();
			if (t(e) === !1) continue;
			if (n && C(e) === E.element) {
				let t = be(e);
				Xn(t) && r.push(t);
			}
			let i = ve(e);
			if (i) for (let e = i.length - 1; e >= 0; --e) r.push(i[e]);
		}
	}, Fn = function(e) {
		U(e, (e) => {
			C(e) === E.element && Pn(e, !0);
		});
	}, In = function(e) {
		let t = [];
		return U(e, (e) => {
			t.push(e);
		}, !0), t;
	}, Ln = function(e, t) {
		let n = le();
		_(In(e), (e) => {
			C(e) === E.element && ue(n, e);
		}), _(t, (e) => {
			C(e) === E.element && !de(n, e) && Pn(e, !0);
		});
	}, W = function(e, n) {
		let r = !1;
		return _(t.removed, (t) => {
			t.element && (r ||= t.element === e, Fn(t.element));
		}), Ln(e, n), r;
	}, Rn = function(e, t) {
		let n = B, r = null, i = () => (r || (r = le(), _(t, (e) => {
			ue(r, e);
		})), r);
		for (let t = 0;; t++) {
			let r = In(e), a = [e], o = !1;
			if (_(r, (e) => {
				C(e) === E.documentFragment ? ae(a, e) : !o && !de(n, e) && (o = de(i(), e));
			}), !o) return;
			if (t >= 8) throw x("the tree kept changing during in-place sanitization; refusing to return it");
			_(a, (t, n) => {
				zn(t, n > 0, e, i());
			});
		}
	}, zn = function(e, t, n, r) {
		let i = Wn(e), a;
		for (; a = i.nextNode();) de(r, a) && !de(B, a) && (t && G(j.uponSanitizeShadowNode, a, null), ir(a, n));
	}, Bn = function(e) {
		B && ue(B, e);
	}, Vn = function(e, t) {
		return Bt ? e === "patchsrc" || e === "for" && t !== "label" && t !== "output" : !1;
	}, Hn = function(e) {
		Bt && U(e, (e) => {
			let t = C(e);
			if (t === E.processingInstruction || t === E.comment && b(Qe, e.data)) {
				try {
					ee(e);
				} catch {}
				return !1;
			}
			if (t === E.element) {
				let t = e, n = H(Ce(e));
				try {
					t.hasAttribute && t.hasAttribute("patchsrc") && t.removeAttribute("patchsrc"), t.hasAttribute && t.hasAttribute("for") && Vn("for", n) && t.removeAttribute("for");
				} catch {}
			}
			return !0;
		});
	}, Un = function(e) {
		let t = null, r = null;
		if (Wt) e = "<remove></remove>" + e;
		else {
			let t = me(e, nt);
			r = t && t[0];
		}
		vn === "application/xhtml+xml" && cn === V && (e = "<html xmlns=\"http://www.w3.org/1999/xhtml\"><head></head><body>" + e + "</body></html>");
		let i = k ? mt(e) : e;
		if (cn === V) try {
			t = new u().parseFromString(i, vn);
		} catch {}
		if (!t || !t.documentElement) {
			t = yt.createDocument(cn, "template", null);
			try {
				t.documentElement.innerHTML = ln ? A : i;
			} catch {}
		}
		let a = t.body || t.documentElement;
		return e && r && a.insertBefore(n.createTextNode(r), a.childNodes[0] || null), cn === V ? St.call(t, R ? "html" : "body")[0] : R ? t.documentElement : a;
	}, Wn = function(e) {
		let t = arguments.length > 1 && arguments[1] !== void 0 && arguments[1], n = S ? S(e) : e.ownerDocument;
		return bt.call(n || e, e, (t ? 0 : l.SHOW_ELEMENT) | l.SHOW_COMMENT | l.SHOW_TEXT | l.SHOW_PROCESSING_INSTRUCTION | l.SHOW_CDATA_SECTION, null);
	}, Gn = function(e) {
		return e = he(e, wt, " "), e = he(e, M, " "), e = he(e, Tt, " "), e;
	}, Kn = function(e) {
		qn(e);
		let t = e.querySelectorAll?.call(e, "template");
		t && _(t, (e) => {
			Xn(e.content) && Kn(e.content);
		});
	}, qn = function(e) {
		e.normalize();
		let t = Wn(e, !0), n = t.nextNode();
		for (; n;) n.data = Gn(n.data), n = t.nextNode();
	}, Jn = function(e) {
		let t = Se ? Se(e) : null;
		return typeof t != "string" || H(t) !== "form" ? !1 : typeof e.nodeName != "string" || typeof e.textContent != "string" || typeof e.removeChild != "function" || e.attributes !== xe(e) || typeof e.removeAttribute != "function" || typeof e.removeAttributeNode != "function" || typeof e.getAttributeNode != "function" || typeof e.setAttribute != "function" || typeof e.namespaceURI != "string" || typeof e.insertBefore != "function" || typeof e.hasChildNodes != "function" || e.nodeType !== y(e) || e.childNodes !== ve(e);
	}, Yn = function(e) {
		if (!y || typeof e != "object" || !e) return null;
		try {
			let t = y(e);
			return typeof t == "number" ? t : null;
		} catch {
			return null;
		}
	}, Xn = function(e) {
		return Yn(e) === E.documentFragment;
	}, Zn = function(e) {
		return Yn(e) !== null;
	};
	function G(e, n, r) {
		e.length !== 0 && _(e, (e) => {
			e.call(t, n, r, bn);
		});
	}
	let K = function(e, t, n) {
		return !!(Bt && n === E.element && e.hasChildNodes() && !Zn(e.firstElementChild) && b(Ze, e.textContent) && b(Ze, e.innerHTML) || Bt && rt[t] && n === E.element && O(e) === V && (Zn(e.firstElementChild) || typeof e.textContent == "string" && b(Ze, e.textContent)) || n === E.processingInstruction || Bt && n === E.comment && b(Qe, e.data));
	}, q = function(e, t) {
		return e instanceof RegExp ? b(e, t) : e instanceof Function && !!e(t, ...[...arguments].slice(2));
	}, Qn = function(e, t, n) {
		if (!Pt[t] && $n(t) && q(F.tagNameCheck, t)) return !1;
		if (Xt && !$t[t] && !$t[fe(t)]) {
			let t = ye(e), r = ve(e);
			if (r && t) {
				let i = r.length;
				for (let a = i - 1; a >= 0; --a) {
					let i = e === n ? p(r[a], !0) : r[a];
					t.insertBefore(i, ne(e));
				}
			}
		}
		return An(e), !0;
	}, J = function(e, t, n, r) {
		return e.length === 0 ? t : t === n || t === r ? Te(t) : t;
	}, Y = function(e, t) {
		return e === t || ye(e) !== null ? !1 : (Zt && Fn(e), !0);
	}, X = function(e, n) {
		if (Bn(e), G(j.beforeSanitizeElements, e, null), Y(e, n)) return !0;
		if (Jn(e)) return An(e), !0;
		let r = H(Ce(e)), i = C(e);
		if (N = J(j.uponSanitizeElement, N, Mt, Ht), G(j.uponSanitizeElement, e, {
			tagName: r,
			allowedTags: N
		}), Y(e, n)) return !0;
		if (K(e, r, i)) return An(e), !0;
		if (Pt[r] || !(I.tagCheck instanceof Function && I.tagCheck(r)) && !N[r]) {
			let t = Qn(e, r, n);
			return t === !1 && (G(j.afterSanitizeElements, e, null), Y(e, n)) ? !0 : t;
		}
		if (i === E.element && !kn(e) || (r === "noscript" || r === "noembed" || r === "noframes") && b($e, e.innerHTML)) return An(e), !0;
		if (L && i === E.text) {
			let n = e.textContent, r = Gn(n);
			n !== r && (ae(t.removed, { element: e.cloneNode() }), e.textContent = r);
		}
		return G(j.afterSanitizeElements, e, null), Y(e, n);
	}, Z = function(e, t, r) {
		if (Ft[t] || Vn(t, e) || z && (t === "id" || t === "name") && (r in n || r in xn)) return !1;
		let i = P[t] || I.attributeCheck instanceof Function && I.attributeCheck(t, e);
		if (Lt && b(Et, t) || It && b(Dt, t)) return !0;
		if (!i) return $n(e) && q(F.tagNameCheck, e) && q(F.attributeNameCheck, t, e) || t === "is" && F.allowCustomizedBuiltInElements && q(F.tagNameCheck, r);
		if (rn[t]) return !0;
		let a = he(r, kt, "");
		return b(jt, a) || (t === "src" || t === "xlink:href" || t === "href") && e !== "script" && ge(r, "data:") === 0 && tn[e] || Rt && !b(Ot, a) ? !0 : !r;
	}, Q = w({}, [
		"annotation-xml",
		"color-profile",
		"font-face",
		"font-face-format",
		"font-face-name",
		"font-face-src",
		"font-face-uri",
		"missing-glyph"
	]), $n = function(e) {
		return !Q[fe(e)] && b(At, e);
	}, er = function(e, t, n, r) {
		if (k && typeof d == "object" && typeof d.getAttributeType == "function" && !n) switch (d.getAttributeType(e, t)) {
			case "TrustedHTML": return mt(r);
			case "TrustedScriptURL": return gt(r);
		}
		return r;
	}, tr = function(e, t, n, r) {
		try {
			return n ? e.setAttributeNS(n, t, r) : e.setAttribute(t, r), !Jn(e) || (An(e), !1);
		} catch {
			return Nn(t, e), !1;
		}
	}, nr = function(e, t) {
		return Bt && b(tt, t) ? !0 : fe(e) === "attributename" && ge(t, "href") !== -1;
	}, rr = function(e, n) {
		if (G(j.beforeSanitizeAttributes, e, null), Y(e, n)) return;
		let r = e.attributes;
		if (!r || Jn(e)) return;
		P = J(j.uponSanitizeAttribute, P, Nt, Ut);
		let i = {
			attrName: "",
			attrValue: "",
			keepAttr: !0,
			allowedAttributes: P,
			forceKeepAttr: void 0
		}, a = r.length, o = H(Ce(e));
		for (; a--;) {
			let n = r[a], s = n.name, c = n.namespaceURI, l = n.value, u = H(s), d = l, f = s === "value" ? d : _e(d), p = !1;
			i.attrName = u, i.attrValue = f, i.keepAttr = !0, i.forceKeepAttr = void 0, G(j.uponSanitizeAttribute, e, i), f = i.attrValue, Jt && (u === "id" || u === "name") && ge(f, Yt) !== 0 && (Nn(s, e, n), f = Yt + f, p = !0), nr(s, f) ? Nn(s, e, n) : i.forceKeepAttr || (i.keepAttr ? !zt && b(et, f) ? Nn(s, e, n) : (L && (f = Gn(f)), Z(o, u, f) ? (f = er(o, u, c, f), f !== d && tr(e, s, c, f) && p && ie(t.removed)) : Nn(s, e, n)) : Nn(s, e, n));
		}
		G(j.afterSanitizeAttributes, e, null), Y(e, n);
	}, ir = function(e, t) {
		X(e, t), rr(e, t), Xn(e.content) && ar(e.content);
	}, ar = function(e) {
		let t = null, n = Wn(e);
		for (G(j.beforeSanitizeShadowDOM, e, null); t = n.nextNode();) if (G(j.uponSanitizeShadowNode, t, null), ir(t, e), C(t) === E.element) {
			let e = be(t);
			Xn(e) && (or(e), ar(e));
		}
		L && qn(e), G(j.afterSanitizeShadowDOM, e, null);
	}, or = function(e) {
		let t = [{
			node: e,
			shadow: null
		}];
		for (; t.length > 0;) {
			let e = t.pop();
			if (e.shadow) {
				ar(e.shadow);
				continue;
			}
			let n = e.node, r = C(n) === E.element, i = ve(n);
			if (i) for (let e = i.length - 1; e >= 0; --e) t.push({
				node: i[e],
				shadow: null
			});
			if (r) {
				let e = Se ? Se(n) : null;
				if (typeof e == "string" && H(e) === "template") {
					let e = n.content;
					Xn(e) && t.push({
						node: e,
						shadow: null
					});
				}
			}
			if (r) {
				let e = be(n);
				Xn(e) && t.push({
					node: null,
					shadow: e
				}, {
					node: e,
					shadow: null
				});
			}
		}
	};
	return t.sanitize = function(e) {
		let n = arguments.length > 1 && arguments[1] !== void 0 ? arguments[1] : {}, i = null, a = null, o = null, s = null;
		if (ln = !e, ln && (e = "<!-->"), typeof e != "string" && !Zn(e) && (e = Ee(e), typeof e != "string")) throw x("dirty is not a string, aborting");
		if (!t.isSupported) return e;
		Vt ? (N = Ht, P = Ut) : Cn(n), t.removed = [];
		let c = Zt && typeof e != "string" && Zn(e), l = [], u = B;
		if (c) {
			Hn(e);
			let t = Ce(e);
			if (typeof t == "string") {
				let n = H(t);
				if (!N[n] || Pt[n]) throw Mn(e), x("root node is forbidden and cannot be sanitized in-place");
			}
			if (Jn(e)) throw Mn(e), x("root node is clobbered and cannot be sanitized in-place");
			l = In(e), B = le();
		} else if (Zn(e)) i = Un("<!---->"), a = i.ownerDocument.importNode(e, !0), a.nodeType === E.element && a.nodeName === "BODY" || a.nodeName === "HTML" ? i = a : i.appendChild(a), or(i);
		else {
			if (!Gt && !L && !R && e.indexOf("<") === -1) return ht(e);
			if (i = Un(e), !i) return Gt ? null : qt ? A : "";
		}
		i && Wt && An(i.firstChild);
		let d = c ? e : i;
		try {
			c && or(e);
			let t = Wn(d);
			for (; o = t.nextNode();) ir(o, d);
			c && Rn(e, l);
		} catch (t) {
			throw c && (Mn(e), W(e, l)), t;
		} finally {
			B = u;
		}
		if (c) {
			if (W(e, l)) throw x("a node selected for removal could not be safely returned; refusing to sanitize in place");
			return L && Kn(e), e;
		}
		if (Gt) {
			if (L && Kn(i), Kt) for (s = xt.call(i.ownerDocument); i.firstChild;) s.appendChild(i.firstChild);
			else s = i;
			return (P.shadowroot || P.shadowrootmode) && (s = Ct.call(r, s, !0)), s;
		}
		let f = () => R ? i.outerHTML : i.innerHTML, p = f();
		return L && b(Ue, p) && (qn(i), p = f()), R && N["!doctype"] && i.ownerDocument && i.ownerDocument.doctype && i.ownerDocument.doctype.name && b(Ye, i.ownerDocument.doctype.name) && (p = "<!DOCTYPE " + i.ownerDocument.doctype.name + ">\n" + p), ht(p);
	}, t.setConfig = function() {
		let e = arguments.length > 0 && arguments[0] !== void 0 ? arguments[0] : {};
		Cn(e), Vt = !0, Ht = N, Ut = P;
	}, t.clearConfig = function() {
		bn = null, Vt = !1, Ht = null, Ut = null, k = ut, A = "";
	}, t.isValidAttribute = function(e, t, n) {
		bn || Cn({});
		let r = H(e), i = H(t);
		return typeof n == "string" && (nr(t, n) || !zt && b(et, n)) ? !1 : Z(r, i, n);
	}, t.addHook = function(e, t) {
		typeof t == "function" && v(j, e) && ae(j[e], t);
	}, t.removeHook = function(e, t) {
		if (v(j, e)) {
			if (t !== void 0) {
				let n = re(j[e], t);
				return n === -1 ? void 0 : se(j[e], n, 1)[0];
			}
			return ie(j[e]);
		}
	}, t.removeHooks = function(e) {
		v(j, e) && (j[e] = []);
	}, t.removeAllHooks = function() {
		j = ot();
	}, t;
}
var lt = ct();
// src/render/dom.ts
function O(e, t, ...n) {
	let r = document.createElement(e);
	return t && (r.className = t), r.append(...n), r;
}
function k(e, t) {
	return O("div", "md", ...e.map((e) => A(e, t)));
}
function A(e, t) {
	switch (e.kind) {
		case "paragraph": {
			let n = O("p", void 0, ...ut(e.children, t));
			return n.dir = "auto", n;
		}
		case "heading": {
			let n = O("p", "md-heading", O("strong", void 0, ...ut(e.children, t)));
			return n.dir = "auto", n;
		}
		case "quote": return O("blockquote", void 0, ...e.children.map((e) => A(e, t)));
		case "code": {
			let t = O("pre", void 0, O("code", void 0, e.text));
			return t.dir = "ltr", t.tabIndex = 0, t;
		}
		case "list": {
			let n = e.items.map((e) => {
				let n = O("li", void 0, ...e.map((e) => A(e, t)));
				return n.dir = "auto", n;
			}), r = O(e.ordered ? "ol" : "ul", void 0, ...n);
			return e.ordered && e.start !== 1 && r.setAttribute("start", String(e.start)), r;
		}
	}
}
function ut(e, t) {
	return e.map((e) => dt(e, t));
}
function dt(e, t) {
	switch (e.kind) {
		case "text": return document.createTextNode(e.text);
		case "code": {
			let t = O("code", void 0, e.text);
			return t.dir = "ltr", t;
		}
		case "emphasis": return O("em", void 0, ...ut(e.children, t));
		case "strong": return O("strong", void 0, ...ut(e.children, t));
		case "break": return O("br");
		case "cite": return pt(e.n, t);
		case "link": return ft(e.href, e.host, O("bdi", void 0, ...ut(e.children, t)));
	}
}
function ft(e, t, n) {
	let r = O("a", "md-link", n);
	if (r.href = e, r.target = "_blank", r.rel = "noopener noreferrer nofollow", !n.textContent?.startsWith(`https://${t}`)) {
		let e = O("span", "md-host", ` (${t})`);
		e.dir = "ltr", r.append(e);
	}
	return r;
}
function pt(e, t) {
	let n = t.citations.get(e);
	if (n === void 0) return document.createTextNode(`[${e}]`);
	let r = O("button", "md-cite", String(e));
	return r.type = "button", r.title = n, r.setAttribute("aria-label", `[${e}] ${n}`), r.addEventListener("click", () => t.onCite?.(e)), r;
}
// src/render/links.ts
var mt = 2e3, ht = /[\u0000-\u0020\u007f-\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\\]/;
function gt(e) {
	if (e.length > mt || ht.test(e)) return null;
	try {
		return new URL(e);
	} catch {
		return null;
	}
}
function _t(e, t) {
	let n = gt(e);
	return !n || n.protocol !== "https:" || n.username || n.password || !/^https:\/\/[^/]/i.test(e) || !t.hosts.includes(n.host) || n.search && t.queries !== "any" && !t.queries.includes(e) ? null : {
		href: n.href,
		host: n.host
	};
}
function vt(e) {
	let t = gt(e);
	return t && (t.protocol === "https:" || t.protocol === "http:") ? t.host : null;
}
// node_modules/marked/lib/marked.esm.js
function yt() {
	return {
		async: !1,
		breaks: !1,
		extensions: null,
		gfm: !0,
		hooks: null,
		pedantic: !1,
		renderer: null,
		silent: !1,
		tokenizer: null,
		walkTokens: null
	};
}
var bt = yt();
function xt(e) {
	bt = e;
}
var St = { exec: () => null };
function Ct(e) {
	let t = [];
	return (n) => {
		let r = Math.max(0, Math.min(3, n - 1)), i = t[r];
		return i || (i = e(r), t[r] = i), i;
	};
}
function j(e, t = "") {
	let n = typeof e == "string" ? e : e.source, r = {
		replace: (e, t) => {
			let i = typeof t == "string" ? t : t.source;
			return i = i.replace(M.caret, "$1"), n = n.replace(e, i), r;
		},
		getRegex: () => new RegExp(n, t)
	};
	return r;
}
var wt = ((e = "") => {
	try {
		return !!RegExp("(?<=1)(?<!1)" + e);
	} catch {
		return !1;
	}
})(), M = {
	codeRemoveIndent: /^(?: {0,3}\t| {1,4})/gm,
	listInterruptsParagraph: /^ {0,3}(?:[*+-]|1[.)])[ \t]+[^ \t\n]/,
	outputLinkReplace: /\\([\[\]])/g,
	indentCodeCompensation: /^(\s+)(?:```)/,
	beginningSpace: /^\s+/,
	endingHash: /#$/,
	startingSpaceChar: /^ /,
	endingSpaceChar: / $/,
	endingSpaceTabChar: /[ \t]$/,
	nonSpaceChar: /[^ ]/,
	newLineCharGlobal: /\n/g,
	tabCharGlobal: /\t/g,
	leadingSpaceTab: /^[ \t]+/,
	multipleSpaceGlobal: /\s+/g,
	blankLine: /^[ \t]*$/,
	doubleBlankLine: /\n[ \t]*\n[ \t]*$/,
	blockquoteStart: /^ {0,3}>/,
	blockquoteSetextReplace: /\n {0,3}((?:=+|-+)[ \t]*)(?=\n|$)/g,
	blockquoteSetextReplace2: /^ {0,3}>[ \t]?/gm,
	blockquoteMarkerWhitespace: /^( {0,3}>)(\t[ \t]*)/gm,
	nestedBlockMarker: /^ {0,3}(?:(?:[*+-]|\d{1,9}[.)])(?: |$)|> ?)/,
	listReplaceNesting: /^ {1,4}(?=( {4})*[^ ])/g,
	listIsTask: /^\[[ xX]\][ \t]+\S/,
	listReplaceTask: /^\[[ xX]\][ \t]+/,
	listTaskCheckbox: /\[[ xX]\]/,
	anyLine: /\n.*\n/,
	hrefBrackets: /^<(.*)>$/,
	tableDelimiter: /[:|]/,
	tableAlignChars: /^\||\| *$/g,
	tableRowBlankLine: /\n[ \t]*$/,
	tableAlignRight: /^ *-+: *$/,
	tableAlignCenter: /^ *:-+: *$/,
	tableAlignLeft: /^ *:-+ *$/,
	startATag: /^<a /i,
	endATag: /^<\/a>/i,
	startPreScriptTag: /^<(pre|code|kbd|script)(\s|>)/i,
	endPreScriptTag: /^<\/(pre|code|kbd|script)(\s|>)/i,
	startAngleBracket: /^</,
	endAngleBracket: />$/,
	pedanticHrefTitle: /^([^'"]*[^\s])\s+(['"])(.*)\2/,
	unicodeAlphaNumeric: /[\p{L}\p{N}]/u,
	numericCharacterReference: /&#(?:(\d{1,7})|[Xx]([A-Fa-f0-9]{1,6}));/,
	numericCharacterReferenceOrAmpersand: /&#(?:(\d{1,7})|[Xx]([A-Fa-f0-9]{1,6}));|&(?!(#\d{1,7}|#[Xx][a-fA-F0-9]{1,6}|\w+);)/g,
	escapeTest: /[&<>"']/,
	escapeReplace: /[&<>"']/g,
	escapeTestNoEncode: /[<>"']|&(?!(#\d{1,7}|#[Xx][a-fA-F0-9]{1,6}|\w+);)/,
	escapeReplaceNoEncode: /[<>"']|&(?!(#\d{1,7}|#[Xx][a-fA-F0-9]{1,6}|\w+);)/g,
	caret: /(^|[^\[])\^/g,
	percentDecode: /%25/g,
	findPipe: /\|/g,
	splitPipe: / \|/,
	slashPipe: /\\\|/g,
	carriageReturn: /\r\n|\r/g,
	spaceLine: /^ +$/gm,
	notSpaceStart: /^\S*/,
	endingNewline: /\n$/,
	listItemRegex: (e) => RegExp(`^( {0,3}${e})((?:[	 ][^\\n]*)?(?:\\n|$))`),
	nextBulletRegex: Ct((e) => RegExp(`^ {0,${e}}(?:[*+-]|\\d{1,9}[.)])((?:[ 	][^\\n]*)?(?:\\n|$))`)),
	hrRegex: Ct((e) => RegExp(`^ {0,${e}}((?:-[ 	]*){3,}|(?:_[ 	]*){3,}|(?:\\*[ 	]*){3,})(?:\\n+|$)`)),
	fencesBeginRegex: Ct((e) => RegExp(`^ {0,${e}}(?:\`\`\`|~~~)`)),
	headingBeginRegex: Ct((e) => RegExp(`^ {0,${e}}#{1,6}(?:\\s|$)`)),
	pedanticHeadingBeginRegex: Ct((e) => RegExp(`^ {0,${e}}#`)),
	htmlBeginRegex: Ct((e) => RegExp(`^ {0,${e}}(?:</?(?:${jt})(?:[ \\t]+|$|/?>)|<(?:(?:script|pre|style|textarea)(?:[\\s>]|$)|!--)|<\\?|<![A-Za-z]|<!\\[CDATA\\[)`, "i")),
	blockquoteBeginRegex: Ct((e) => RegExp(`^ {0,${e}}>`)),
	nestedContainerMarkers: /^(?: {0,3}(?:(?:[*+-]|\d{1,9}[.)])[ \t]+|>[ \t]?))+/
}, Tt = /^(?:[ \t]*(?:\n|$))+/, Et = /^((?: {4}| {0,3}\t)[^\n]+(?:\n(?:[ \t]*(?:\n|$))*)?)+/, Dt = /^ {0,3}(`{3,}(?=[^`\n]*(?:\n|$))|~{3,})([^\n]*)(?:\n|$)(?:|([\s\S]*?)(?:\n|$))(?: {0,3}(?:(?=`)\1`*|(?=~)\1~*) *(?=\n|$)|$)/, Ot = /^ {0,3}((?:-[\t ]*){3,}|(?:_[ \t]*){3,}|(?:\*[ \t]*){3,})(?:\n+|$)/, kt = /^ {0,3}(#{1,6})(?=\s|$)(.*)(?:\n+|$)/, At = / {0,3}(?:[*+-]|\d{1,9}[.)])/, jt = "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|meta|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul", N = j(" {0,3}(?:</?(?:tag)(?:[ \\t]+|\\n|/?>)|<(?:(?:script|pre|style|textarea)(?:[\\s>]|$)|!--)|<\\?|<![A-Za-z]|<!\\[CDATA\\[)").replace("tag", jt).getRegex(), Mt = /^(?!bull |blockCode|fences|blockquote|heading|html|table)((?:.|\n(?!\s*?\n|bull |fences|blockquote|heading|hr|html|table))+?)\n {0,3}(=+|-+)[ \t]*(?:\n+|$)/, P = j(Mt).replace(/bull/g, At).replace(/blockCode/g, /(?: {4}| {0,3}\t)/).replace(/fences/g, / {0,3}(?:`{3,}|~{3,})/).replace(/blockquote/g, / {0,3}>/).replace(/heading/g, / {0,3}#{1,6}(?:\s|$)/).replace(/hr/g, / {0,3}(?:(?:-[\t ]*){3,}|(?:_[ \t]*){3,}|(?:\*[ \t]*){3,})(?:\n+|$)/).replace(/\|table/g, "").replace(/html/g, N).getRegex(), Nt = j(Mt).replace(/bull/g, At).replace(/blockCode/g, /(?: {4}| {0,3}\t)/).replace(/fences/g, / {0,3}(?:`{3,}|~{3,})/).replace(/blockquote/g, / {0,3}>/).replace(/heading/g, / {0,3}#{1,6}(?:\s|$)/).replace(/hr/g, / {0,3}(?:(?:-[\t ]*){3,}|(?:_[ \t]*){3,}|(?:\*[ \t]*){3,})(?:\n+|$)/).replace(/table/g, / {0,3}\|?(?:[:\- ]*\|)+[\:\- ]*\n/).replace(/html/g, N).getRegex(), F = /^([^\n]+(?:\n(?!hr|heading|lheading|blockquote|fences|list|html|table|[ \t]+\n)[^\n]+)*)/, Pt = /^[^\n]+/, Ft = /(?!\s*\])(?:\\[\s\S]|[^\[\]\\\n]|\n(?![ \t]*\n))+/, I = j(/^ {0,3}\[(label)\]: *(?:\n[ \t]*)?([^<\s][^\s]*|<(?:\\.|[^\n<>\\])*>)(?:(?: +(?:\n[ \t]*)?| *\n[ \t]*)(title))? *(?:\n+|$)/).replace("label", Ft).replace("title", /(?:"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\\n]|\n(?!\n))*'|\((?:\\[\s\S]|[^()\\])*\))/).getRegex(), It = j(/^(bull)([ \t][^\n]*?)?(?:\n|$)/).replace(/bull/g, At).getRegex(), Lt = /<!--(?:-?>|[\s\S]*?(?:-->|$))/, Rt = j("^ {0,3}(?:<(script|pre|style|textarea)[\\s>][\\s\\S]*?(?:</\\1>[^\\n]*\\n*|$)|comment[^\\n]*(\\n+|$)|<\\?[\\s\\S]*?(?:\\?>[^\\n]*\\n*|$)|<![A-Z][\\s\\S]*?(?:>[^\\n]*\\n*|$)|<!\\[CDATA\\[[\\s\\S]*?(?:\\]\\]>[^\\n]*\\n*|$)|</?(tag)(?:[ \\t]+|\\n|/?>|$)[\\s\\S]*?(?:(?:\\n[ 	]*)+\\n|$)|<(?!(?:script|pre|style|textarea)(?![a-z0-9-]))([a-z][a-z0-9-]*)(?:attribute)*?[ \\t]*/?>(?=[ \\t]*(?:\\n|$))[\\s\\S]*?(?:(?:\\n[ 	]*)+\\n|$)|</[a-z][a-z0-9-]*\\s*>(?=[ \\t]*(?:\\n|$))[\\s\\S]*?(?:(?:\\n[ 	]*)+\\n|$))", "i").replace("comment", Lt).replace("tag", jt).replace("attribute", /[ \t]+[a-zA-Z:_][\w.:-]*(?:[ \t]*=[ \t]*"[^"\n]*"|[ \t]*=[ \t]*'[^'\n]*'|[ \t]*=[ \t]*[^\s"'=<>`]+)?/).getRegex(), zt = (e) => j(F).replace("hr", Ot).replace("heading", " {0,3}#{1,6}(?:\\s|$)").replace("|lheading", "").replace("|table", "").replace("blockquote", " {0,3}>").replace("fences", " {0,3}(?:`{3,}(?=[^`\\n]*(?:\\n|$))|~~~)[^\\n]*(?:\\n|$)").replace("list", e).replace("html", N).getRegex(), L = zt(/ {0,3}(?:[*+-]|1[.)])[ \t]+[^ \t\n]/), Bt = zt(/ {0,3}(?:[*+-]|\d{1,9}[.)])(?:[ \t]|\n|$)/), R = {
	blockquote: j(/^( {0,3}> ?(?:(?![ \t]*(?:\n|$))(paragraph)|[^\n]*)(?:\n|$))+/).replace("paragraph", Bt).getRegex(),
	code: Et,
	def: I,
	fences: Dt,
	heading: kt,
	hr: Ot,
	html: Rt,
	lheading: P,
	list: It,
	newline: Tt,
	paragraph: L,
	table: St,
	text: Pt
}, Vt = j("^ *([^\\n ].*)\\n {0,3}((?:\\| *)?:?-+:? *(?:\\| *:?-+:? *)*(?:\\| *)?)(?:\\n((?:(?! *\\n|hr|heading|blockquote|code|fences|list|html).*(?:\\n|$))*)\\n*|$)").replace("hr", Ot).replace("heading", " {0,3}#{1,6}(?:\\s|$)").replace("blockquote", " {0,3}>").replace("code", "(?: {4}| {0,3}	)[^\\n]").replace("fences", " {0,3}(?:`{3,}(?=[^`\\n]*(?:\\n|$))|~~~)[^\\n]*(?:\\n|$)").replace("list", " {0,3}(?:[*+-]|1[.)])[ \\t]").replace("html", N).getRegex(), Ht = {
	...R,
	lheading: Nt,
	table: Vt,
	paragraph: j(F).replace("hr", Ot).replace("heading", " {0,3}#{1,6}(?:\\s|$)").replace("|lheading", "").replace("table", Vt).replace("blockquote", " {0,3}>").replace("fences", " {0,3}(?:`{3,}(?=[^`\\n]*(?:\\n|$))|~~~)[^\\n]*(?:\\n|$)").replace("list", " {0,3}(?:[*+-]|1[.)])[ \\t]+[^ \\t\\n]").replace("html", N).getRegex()
}, Ut = {
	...R,
	html: j("^ *(?:comment(?: *\\n|\\s*$)|<(tag)[\\s\\S]+?</\\1>(?: *\\n{2,}|\\s*$)|<tag(?:\"[^\"]*\"|'[^']*'|\\s[^'\"/>\\s]*)*?/?>(?: *\\n{2,}|\\s*$))").replace("comment", Lt).replace(/tag/g, "(?!(?:a|em|strong|small|s|cite|q|dfn|abbr|data|time|code|var|samp|kbd|sub|sup|i|b|u|mark|ruby|rt|rp|bdi|bdo|span|br|wbr|ins|del|img)\\b)\\w+(?!:|[^\\w\\s@]*@)\\b").getRegex(),
	def: /^ *\[([^\]]+)\]: *<?([^\s>]+)>?(?: +(["(][^\n]+[")]))? *(?:\n+|$)/,
	heading: /^(#{1,6})(.*)(?:\n+|$)/,
	fences: St,
	lheading: /^(.+?)\n {0,3}(=+|-+) *(?:\n+|$)/,
	paragraph: j(F).replace("hr", Ot).replace("heading", " *#{1,6} *[^\n]").replace("|table", "").replace("blockquote", " {0,3}>").replace("|fences", "").replace("|list", "").replace("|html", "").replace("|tag", "").replace("lheading", P).getRegex()
}, Wt = /^\\([!"#$%&'()*+,\-./:;<=>?@\[\]\\^_`{|}~])/, Gt = /^(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/, Kt = /^( {2,}|\\)\n(?!\s*$)[ \t]*/, qt = /^(`+|[^`])(?:(?= {2,}\n)|[\s\S]*?(?:(?=[\\<!\[`*_]|\b_|$)|[^ ](?= {2,}\n)))/, z = /[\p{P}\p{S}]/u, Jt = /[\s\p{P}\p{S}]/u, Yt = /[^\s\p{P}\p{S}]/u, Xt = j(/^((?![*_])punctSpace)/, "u").replace(/punctSpace/g, Jt).getRegex(), Zt = /[\p{Pi}\p{Ps}"']/u, B = /(?!~)[\p{P}\p{S}]/u, Qt = /(?!~)[\s\p{P}\p{S}]/u, $t = /(?:[^\s\p{P}\p{S}]|~)/u, en = j(/link|precode-code|html/, "g").replace("link", /\[(?:[^\[\]`]|(?<a>`+)[^`]+\k<a>(?!`))*?\]\((?:\\[\s\S]|[^\\\(\)]|\((?:\\[\s\S]|[^\\\(\)])*\))*\)/).replace("precode-", wt ? "(?<!`)()" : "(^^|[^`])").replace("code", /(?<b>`+)[^`]+\k<b>(?!`)/).replace("html", /<(?! )[^<>]*?>/).getRegex(), tn = /^(?:\*+(?:((?!\*)punct)|([^\s*]))?)|^_+(?:((?!_)punct)|([^\s_]))?/, nn = j(tn, "u").replace(/punct/g, z).getRegex(), rn = j(tn, "u").replace(/punct/g, B).getRegex(), an = j(/^(?:\*+(?:((?!\*)(?!openQuote)punct)|([^\s*]))?)|^_+(?:((?!_)(?!openQuote)punct)|([^\s_]))?/, "u").replace(/openQuote/g, Zt).replace(/punct/g, z).getRegex(), on = "^[^_*]*?__[^_*]*?\\*[^_*]*?(?=__)|[^*]+(?=[^*])|(?!\\*)punct(\\*+)(?=[\\s]|$)|notPunctSpace(\\*+)(?!\\*)(?=punctSpace|$)|(?!\\*)punctSpace(\\*+)(?=notPunctSpace)|[\\s](\\*+)(?!\\*)(?=punct)|(?!\\*)punct(\\*+)(?!\\*)(?=punct)|notPunctSpace(\\*+)(?=notPunctSpace)", sn = j(on, "gu").replace(/notPunctSpace/g, Yt).replace(/punctSpace/g, Jt).replace(/punct/g, z).getRegex(), V = j(on, "gu").replace(/notPunctSpace/g, $t).replace(/punctSpace/g, Qt).replace(/punct/g, B).getRegex(), cn = j("^[^_*]*?__[^_*]*?\\*[^_*]*?(?=__)|[^*]+(?=[^*])|(?!\\*)punct(\\*+)(?=[\\s]|$)|notPunctSpace(\\*+)(?!\\*)(?=punctSpace|$)|(?!\\*)[\\s](\\*+)(?=notPunctSpace)|[\\s](\\*+)(?!\\*)(?=punct)|(?!\\*)punct(\\*+)(?!\\*)(?=punct)|(?:(?!\\*)punct|notPunctSpace)(\\*+)(?!\\*)(?=notPunctSpace)", "gu").replace(/notPunctSpace/g, Yt).replace(/punctSpace/g, Jt).replace(/punct/g, z).getRegex(), ln = j("^[^_*]*?\\*\\*[^_*]*?_[^_*]*?(?=\\*\\*)|[^_]+(?=[^_])|(?!_)punct(_+)(?=[\\s]|$)|notPunctSpace(_+)(?!_)(?=punctSpace|$)|(?!_)punctSpace(_+)(?=notPunctSpace)|[\\s](_+)(?!_)(?=punct)|(?!_)punct(_+)(?!_)(?=punct)", "gu").replace(/notPunctSpace/g, Yt).replace(/punctSpace/g, Jt).replace(/punct/g, z).getRegex(), un = j("^[^_*]*?\\*\\*[^_*]*?_[^_*]*?(?=\\*\\*)|[^_]+(?=[^_])|(?!_)punct(_+)(?=[\\s]|$)|notPunctSpace(_+)(?!_)(?=punctSpace|$)|(?!_)[\\s](_+)(?=notPunctSpace)|[\\s](_+)(?!_)(?=punct)|(?!_)punct(_+)(?!_)(?=punct)|(?:(?!_)punct|notPunctSpace)(_+)(?!_)(?=notPunctSpace)", "gu").replace(/notPunctSpace/g, Yt).replace(/punctSpace/g, Jt).replace(/punct/g, z).getRegex(), dn = j(/^~~?(?:((?!~)punct)|[^\s~])/, "u").replace(/punct/g, z).getRegex(), fn = j("^[^~]+(?=[^~])|(?!~)punct(~~?)(?=[\\s]|$)|notPunctSpace(~~?)(?!~)(?=punctSpace|$)|(?!~)punctSpace(~~?)(?=notPunctSpace)|[\\s](~~?)(?!~)(?=punct)|(?!~)punct(~~?)(?!~)(?=punct)|notPunctSpace(~~?)(?=notPunctSpace)", "gu").replace(/notPunctSpace/g, Yt).replace(/punctSpace/g, Jt).replace(/punct/g, z).getRegex(), pn = j(/\\(punct)/, "gu").replace(/punct/g, z).getRegex(), mn = j(/(`+)(?:[^`]|[^`][\s\S]*?[^`])\1(?!`)|`+|\\(punct)/, "gu").replace(/punct/g, z).getRegex(), hn = j(/^<(scheme:[^\s\x00-\x1f<>]*|email)>/).replace("scheme", /[a-zA-Z][a-zA-Z0-9+.-]{1,31}/).replace("email", /[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+(@)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+(?![-_])/).getRegex(), gn = j(Lt).replace("(?:-->|$)", "-->").getRegex(), _n = j("^comment|^</[a-zA-Z][a-zA-Z0-9-]*\\s*>|^<[a-zA-Z][a-zA-Z0-9-]*(?:attribute)*?\\s*/?>|^<\\?[\\s\\S]*?\\?>|^<![a-zA-Z]+\\s[\\s\\S]*?>|^<!\\[CDATA\\[[\\s\\S]*?\\]\\]>").replace("comment", gn).replace("attribute", /\s+[a-zA-Z:_][\w.:-]*(?:\s*=\s*"[^"]*"|\s*=\s*'[^']*'|\s*=\s*[^\s"'=<>`]+)?/).getRegex(), vn = /\[(?:\\[\s\S]|[^\[\]\\])*\]/, yn = j(/(?:\[(?:brackets|\\[\s\S]|[^\[\]\\])*\]|\\[\s\S]|`+(?!`)[^`]*?`+(?!`)|``+(?=\])|[^\[\]\\`])*?/).replace("brackets", vn).getRegex(), H = j(/^!?\[(label)\]\([ \t\n]*(href)(?:(?:[ \t]+(?:\n[ \t]*)?|\n[ \t]*)(title))?[ \t\n]*\)/).replace("label", yn).replace("href", /<(?:\\.|[^\n<>\\])*>|(?!<)[^ \t\n\x00-\x1f]+|(?=\))/).replace("title", /"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|\((?:\\[\s\S]|[^)\\])*\)/).getRegex(), bn = j(/^!?\[(label)\]\[(ref)\]/).replace("label", yn).replace("ref", Ft).getRegex(), xn = j(/^!?\[(ref)\](?:\[\])?/).replace("ref", Ft).getRegex(), Sn = /(?!\s*\])(?:\\[\s\S]|[^\[\]\\]){1,999}/, Cn = j(/(?:[^\[\]\\`]*(?:\[(?:brackets|\\[\s\S]|[^\[\]\\])*\]|\\[\s\S]|`+(?!`)[^`]*?`+(?!`)|``+(?=\]))){0,999}?[^\[\]\\`]*?/).replace("brackets", vn).getRegex(), wn = j("reflink|nolink(?!\\()", "g").replace("reflink", j(/^!?\[(label)\]\[(ref)\]/).replace("label", Cn).replace("ref", Sn).getRegex()).replace("nolink", j(/^!?\[(ref)\](?:\[\])?/).replace("ref", Sn).getRegex()).getRegex(), Tn = /[hH][tT][tT][pP][sS]?|[fF][tT][pP]/, En = j(/(?:mailto:email|xmpp:email(?:\/[A-Za-z0-9@.]+)?)/).replace(/email/g, /[A-Za-z0-9._+-]+@[a-zA-Z0-9-_]+(?:\.[a-zA-Z0-9-_]*[a-zA-Z0-9])+(?![\w-])/).getRegex(), Dn = {
	_backpedal: St,
	anyPunctuation: pn,
	anyPunctuationOutsideCode: mn,
	autolink: hn,
	blockSkip: en,
	br: Kt,
	code: Gt,
	del: St,
	delLDelim: St,
	delRDelim: St,
	emStrongLDelim: nn,
	emStrongRDelimAst: sn,
	emStrongRDelimUnd: ln,
	escape: Wt,
	link: H,
	nolink: xn,
	punctuation: Xt,
	reflink: bn,
	reflinkSearch: wn,
	tag: _n,
	text: qt,
	url: St
}, On = {
	...Dn,
	emStrongLDelim: an,
	emStrongRDelimAst: cn,
	emStrongRDelimUnd: un,
	link: j(/^!?\[(label)\]\((.*?)\)/).replace("label", yn).getRegex(),
	reflink: j(/^!?\[(label)\]\s*\[([^\]]*)\]/).replace("label", yn).getRegex()
}, kn = {
	...Dn,
	emStrongRDelimAst: V,
	emStrongLDelim: rn,
	delLDelim: dn,
	delRDelim: fn,
	url: j(/^emailProtocol|^((?:protocol):\/\/|www\.)(?:[a-zA-Z0-9\-]+\.?)+[^\s<]*|^email/).replace("emailProtocol", En).replace("protocol", Tn).replace("email", /[A-Za-z0-9._+-]+(@)[a-zA-Z0-9-_]+(?:\.[a-zA-Z0-9-_]*[a-zA-Z0-9])+(?![\w-])/).getRegex(),
	_backpedal: /(?:[^?!.,:;*_'"~()&]+|\([^)]*\)|&(?![a-zA-Z0-9]+;$)|[?!.,:;*_'"~)]+(?!$))+/,
	del: /^(~~?)(?=[^\s~])((?:\\[\s\S]|[^\\])*?(?:\\[\s\S]|[^\s~\\]))\1(?=[^~]|$)/,
	text: j(/^(?:[^a-zA-Z0-9](?=emailProtocol)|(`+|~+|[^`~])(?:(?=[`~])|(?= {2,}\n)|(?=[a-zA-Z0-9.!#$%&'*+\/=?_`{\|}~-]+@)|[\s\S]*?(?:(?=[\\<!\[`*~_]|\b_|protocol:\/\/|wwwStart|$)|[^ ](?= {2,}\n)|[^a-zA-Z0-9](?=emailProtocol)|[^a-zA-Z0-9.!#$%&'*+\/=?_`{\|}~-](?=[a-zA-Z0-9.!#$%&'*+\/=?_`{\|}~-]+@))))/).replace("protocol", Tn).replace(/emailProtocol/g, /(?:mailto|xmpp):/).replace("wwwStart", wt ? "(?<![^\\s*_~(])www\\." : "www\\.").getRegex()
}, An = {
	...kn,
	br: j(Kt).replace("{2,}", "*").getRegex(),
	text: j(kn.text).replace("\\b_", "\\b_| {2,}\\n").replace(/\{2,\}/g, "*").getRegex()
}, jn = {
	normal: R,
	gfm: Ht,
	pedantic: Ut
}, Mn = {
	normal: Dn,
	gfm: kn,
	breaks: An,
	pedantic: On
}, Nn = {
	"&": "&amp;",
	"<": "&lt;",
	">": "&gt;",
	"\"": "&quot;",
	"'": "&#39;"
}, Pn = (e) => Nn[e];
function U(e, t) {
	if (t) {
		if (M.escapeTest.test(e)) return e.replace(M.escapeReplace, Pn);
	} else if (M.escapeTestNoEncode.test(e)) return e.replace(M.escapeReplaceNoEncode, Pn);
	return e;
}
function Fn(e) {
	return M.numericCharacterReference.test(e) ? e.replace(M.numericCharacterReferenceOrAmpersand, (e, t, n) => {
		if (t === void 0 && n === void 0) return "&amp;";
		let r = t === void 0 ? Number.parseInt(n, 16) : Number.parseInt(t, 10);
		return r === 0 || r > 1114111 || r >= 55296 && r <= 57343 ? "�" : r === 38 ? "&amp;" : String.fromCodePoint(r);
	}) : e;
}
function In(e) {
	try {
		e = encodeURI(e).replace(M.percentDecode, "%");
	} catch {
		return null;
	}
	return e;
}
function Ln(e, t) {
	let n = e.replace(M.findPipe, (e, t, n) => {
		let r = !1, i = t;
		for (; --i >= 0 && n[i] === "\\";) r = !r;
		return r ? "|" : " |";
	}).split(M.splitPipe), r = 0;
	if (n[0].trim() || n.shift(), n.length > 0 && !n.at(-1)?.trim() && n.pop(), t) {
		if (n.length > t) n.splice(t);
		else for (; n.length < t;) n.push("");
	}
	for (; r < n.length; r++) n[r] = n[r].trim().replace(M.slashPipe, "|");
	return n;
}
function W(e, t, n) {
	let r = e.length;
	if (r === 0) return "";
	let i = 0;
	for (; i < r;) {
		let a = e.charAt(r - i - 1);
		if (a === t && !n) i++;
		else if (a !== t && n) i++;
		else break;
	}
	return e.slice(0, r - i);
}
function Rn(e) {
	let t = e.split("\n"), n = t.length - 1;
	for (; n >= 0 && M.blankLine.test(t[n]);) n--;
	return t.length - n <= 2 ? e : t.slice(0, n + 1).join("\n");
}
function zn(e) {
	return e.trim().replace(M.multipleSpaceGlobal, " ").toLowerCase().toUpperCase().toLowerCase();
}
function Bn(e, t) {
	if (e.indexOf(t[0]) === -1 && e.indexOf(t[1]) === -1) return -1;
	let n = 0;
	for (let r = 0; r < e.length; r++) if (e[r] === "\\") r++;
	else if (e[r] === t[0]) n++;
	else if (e[r] === t[1] && (n--, n < 0)) return r;
	return n > 0 ? -2 : -1;
}
var Vn = /* @__PURE__ */ new WeakMap();
function Hn(e) {
	let t = {
		"*": -1,
		_: -1
	}, n = -1, r = e.length;
	for (let i = 0; i < r; i++) {
		let a = e[i];
		if (a !== "*" && a !== "_" && a !== "~") continue;
		let o = i === 0 ? "\n" : e[i - 1], s = i + 1;
		for (; s < r && e[s] === a;) s++;
		o !== " " && o !== "	" && o !== "\n" && o !== "\r" && o !== "\f" && (a === "~" ? n = i : t[a] = i), i = s - 1;
	}
	return {
		maskedSrc: e,
		lastPossibleEmStrongCloserIndex: t,
		lastPossibleDelCloserIndex: n
	};
}
function Un(e, t) {
	let n = Hn(t), r = Vn.get(e);
	r ? r.push(n) : Vn.set(e, [n]);
}
function Wn(e) {
	let t = Vn.get(e);
	t && (t.pop(), t.length === 0 && Vn.delete(e));
}
function Gn(e, t, n) {
	let r = Vn.get(e)?.at(-1);
	return r && r.maskedSrc === t ? r.lastPossibleEmStrongCloserIndex[n] : Hn(t).lastPossibleEmStrongCloserIndex[n];
}
function Kn(e, t) {
	let n = Vn.get(e)?.at(-1);
	return n && n.maskedSrc === t ? n.lastPossibleDelCloserIndex : Hn(t).lastPossibleDelCloserIndex;
}
function qn(e, t = 0) {
	let n = t, r = "";
	for (let t of e) if (t === "	") {
		let e = 4 - n % 4;
		r += " ".repeat(e), n += e;
	} else r += t, n++;
	return r;
}
function Jn(e, t) {
	let n = "";
	for (let r = 0; r < e.length; r++) {
		if (e[r] === "`") {
			let i = t.inline.code.exec(e.slice(r));
			if (i) {
				n += i[0], r += i[0].length - 1;
				continue;
			}
		}
		e[r] === "\\" && (e[r + 1] === "[" || e[r + 1] === "]") ? (n += e[r + 1], r++) : n += e[r];
	}
	return n;
}
function Yn(e, t, n, r, i) {
	let a = t.href, o = t.title || null, s = Jn(e[1], i), c = e[0].charAt(0) === "!", l = r.state.inLink, u = r.state.linkEmitted, d = r.state.inRawBlock;
	r.state.inLink = !0, r.state.linkEmitted = !1;
	let f = r.inlineTokens(s), p = r.state.linkEmitted;
	if (r.state.linkEmitted = u, r.state.inLink = l, !c) {
		if (p) {
			r.state.inRawBlock = d;
			return;
		}
		r.state.linkEmitted = !0;
	}
	return {
		type: c ? "image" : "link",
		raw: n,
		href: a,
		title: o,
		text: s,
		tokens: f
	};
}
function Xn(e, t, n) {
	let r = e.match(n.other.indentCodeCompensation);
	if (r === null) return t;
	let i = r[1];
	return t.split("\n").map((e) => {
		let t = e.match(n.other.beginningSpace);
		if (t === null) return e;
		let [r] = t;
		return e.slice(Math.min(r.length, i.length));
	}).join("\n");
}
function Zn(e, t, n, r) {
	if (!t.includes("<")) return !1;
	for (let i = 0; i < t.length; i++) {
		if (t[i] === "\\") {
			i++;
			continue;
		}
		if (t[i] === "`") {
			let e = r.inline.code.exec(t.slice(i));
			if (e) {
				i += e[0].length - 1;
				continue;
			}
		}
		if (t[i] !== "<") continue;
		let a = e.slice(n + i), o = r.inline.tag.exec(a) || r.inline.autolink.exec(a);
		if (o) {
			if (o[0].length > t.length - i) return !0;
			i += o[0].length - 1;
		}
	}
	return !1;
}
var G = class {
	options;
	rules;
	lexer;
	constructor(e) {
		this.options = e || bt;
	}
	space(e) {
		let t = this.rules.block.newline.exec(e);
		if (t && t[0].length > 0) return {
			type: "space",
			raw: t[0]
		};
	}
	code(e) {
		let t = this.rules.block.code.exec(e);
		if (t) {
			let e = this.options.pedantic ? t[0] : Rn(t[0]);
			return {
				type: "code",
				raw: e,
				codeBlockStyle: "indented",
				text: e.replace(this.rules.other.codeRemoveIndent, "")
			};
		}
	}
	fences(e) {
		let t = this.rules.block.fences.exec(e);
		if (t) {
			let e = t[0], n = Xn(e, t[3] || "", this.rules);
			return t[3] !== void 0 && (n === "" || n.endsWith("\n")) && (n += "\n"), {
				type: "code",
				raw: e,
				lang: t[2] ? t[2].trim().replace(this.rules.inline.anyPunctuation, "$1") : t[2],
				text: n
			};
		}
	}
	heading(e) {
		let t = this.rules.block.heading.exec(e);
		if (t) {
			let e = t[2].trim();
			if (this.rules.other.endingHash.test(e)) {
				let t = W(e, "#");
				(this.options.pedantic || !t || this.rules.other.endingSpaceTabChar.test(t)) && (e = t.trim());
			}
			return {
				type: "heading",
				raw: W(t[0], "\n"),
				depth: t[1].length,
				text: e,
				tokens: this.lexer.inline(e)
			};
		}
	}
	hr(e) {
		let t = this.rules.block.hr.exec(e);
		if (t) return {
			type: "hr",
			raw: W(t[0], "\n")
		};
	}
	blockquote(e) {
		let t = this.rules.block.blockquote.exec(e);
		if (t) {
			let e = W(t[0], "\n").split("\n"), n = "", r = "", i = [];
			for (; e.length > 0;) {
				let t = !1, a = [], o = 0;
				for (; o < e.length; o++) if (this.rules.other.blockquoteStart.test(e[o])) a.push(e[o]), t = !0;
				else if (!t) a.push(e[o]);
				else break;
				e = e.slice(o);
				let s = a.join("\n"), c = s.replace(this.rules.other.blockquoteMarkerWhitespace, (e, t, n) => n.startsWith(" ") ? t + " " + n.slice(1) : t + qn(n, t.length)).replace(this.rules.other.blockquoteSetextReplace, "\n    $1").replace(this.rules.other.blockquoteSetextReplace2, "");
				n = n ? `${n}
${s}` : s, r = r ? `${r}
${c}` : c;
				let l = this.lexer.state.top;
				if (this.lexer.state.top = !0, this.lexer.blockTokens(c, i, !0), this.lexer.state.top = l, e.length === 0) break;
				let u = i.at(-1);
				if (u?.type === "code" || u?.type === "heading" || u?.type === "hr" || u?.type === "html" || u?.type === "table") break;
				if (u?.type === "blockquote") {
					let t = u, a = e.join("\n"), o = t.raw + "\n" + a.replace(this.rules.other.blockquoteSetextReplace2, ""), s = this.blockquote(o);
					i[i.length - 1] = s;
					let c = o.substring(s.raw.length).replace(/^\n/, ""), l = c ? c.split("\n").length : 0, d = l ? e.slice(0, -l) : e;
					if (d.length > 0 && (n = `${n}
${d.join("\n")}`), r = r.substring(0, r.length - t.text.length) + s.text, e = e.slice(d.length), e.length > 0 && this.rules.other.blockquoteStart.test(e[0])) continue;
					break;
				}
				if (u?.type === "list") {
					let t = u, a = t.raw + "\n" + e.join("\n"), o = this.list(a);
					i[i.length - 1] = o;
					let s = o.raw.length > t.raw.length ? a.slice(t.raw.length + 1, o.raw.length).split("\n").length : 0;
					if (s > 0) {
						let t = e.slice(0, s).join("\n");
						n = `${n}
${t}`, r = `${r}
${t}`;
					}
					if (e = e.slice(s), e.length > 0 && !this.rules.other.blockquoteStart.test(e[0])) break;
				}
			}
			return {
				type: "blockquote",
				raw: n,
				tokens: i,
				text: r
			};
		}
	}
	list(e) {
		let t = this.rules.block.list.exec(e);
		if (t) {
			if (!this.options.pedantic && this.lexer.state.lastToken?.type === "text" && !this.rules.other.listInterruptsParagraph.test(e)) return;
			let n = e, r = () => n.length - e.length, i = t[1].trim(), a = i.length > 1, o = {
				type: "list",
				raw: "",
				ordered: a,
				start: a ? +i.slice(0, -1) : "",
				loose: !1,
				items: []
			};
			i = a ? `\\d{1,9}\\${i.slice(-1)}` : `\\${i}`, this.options.pedantic && (i = a ? i : "[*+-]");
			let s = this.rules.other.listItemRegex(i), c = !1;
			for (; e;) {
				let i = !1, a = "";
				if (!(t = s.exec(e)) || this.rules.block.hr.test(e)) break;
				let l = r();
				e = e.substring(t[0].length);
				let u = t[2].split("\n", 1)[0], d = t[1].length, f = this.options.pedantic ? qn(u, d) : u.replace(this.rules.other.leadingSpaceTab, (e) => qn(e, d)), p = e.split("\n", 1)[0], m = !f.trim(), h = 0;
				if (this.options.pedantic ? (h = 2, a = f.trimStart()) : m ? h = d + 1 : (h = f.search(this.rules.other.nonSpaceChar), h = h > 4 ? 1 : h, a = f.slice(h), h += d), m && this.rules.other.blankLine.test(p) && (e = e.substring(p.length + 1), i = !0), !i) {
					let t = this.rules.other.nextBulletRegex(h), n = this.rules.other.hrRegex(h), r = this.rules.other.fencesBeginRegex(h), i = this.options.pedantic ? this.rules.other.pedanticHeadingBeginRegex(h) : this.rules.other.headingBeginRegex(h), o = this.rules.other.htmlBeginRegex(h), s = this.rules.other.blockquoteBeginRegex(h), c = !1;
					for (; e;) {
						let l = e.split("\n", 1)[0], u;
						if (p = l, this.options.pedantic ? (p = p.replace(this.rules.other.listReplaceNesting, "  "), u = p) : u = p.replace(this.rules.other.leadingSpaceTab, (e) => qn(e)), r.test(p) || i.test(p) || o.test(p) || s.test(p) || t.test(p) || n.test(p)) break;
						if (u.search(this.rules.other.nonSpaceChar) >= h || !p.trim()) a += "\n" + u.slice(h), c = !1;
						else {
							if (m) break;
							let e = f;
							if (!this.options.pedantic && !a.includes("\n") && !f.includes("	")) {
								let t;
								for (; !n.test(e) && (t = this.rules.other.nestedBlockMarker.exec(e));) e = e.slice(t[0].length);
								if (!e.trim()) break;
							}
							if (e.replace(this.rules.other.tabCharGlobal, "    ").search(this.rules.other.nonSpaceChar) >= 4 || r.test(e) || i.test(e) || o.test(e) || n.test(e)) break;
							if (!this.options.pedantic && !c) {
								let e = f.replace(this.rules.other.nestedContainerMarkers, "");
								if (this.rules.block.fences.test(e) || this.rules.block.heading.test(e) || this.rules.block.hr.test(e)) break;
							}
							let t = !this.options.pedantic && /^ {0,3}(?:=+|-+) *$/.test(p) && this.rules.block.lheading.test(`${f}
${p}`) ? `    ${u.replace(/^ {0,3}/, "")}` : p;
							a += "\n" + t, c = !0;
						}
						m = !p.trim(), e = e.substring(l.length + 1), f = u.slice(h);
					}
				}
				let g = n.slice(l, r());
				o.loose || (c ? o.loose = !0 : this.rules.other.doubleBlankLine.test(g) && (c = !0)), o.items.push({
					type: "list_item",
					raw: g,
					task: !!this.options.gfm && this.rules.other.listIsTask.test(a),
					loose: !1,
					text: a,
					tokens: []
				});
			}
			let l = o.items.at(-1);
			if (l) l.raw = l.raw.trimEnd(), l.text = l.text.trimEnd();
			else return;
			o.raw = n.slice(0, r()).trimEnd();
			let u = [];
			for (let e of o.items) if (this.lexer.state.top = !1, u.push(this.lexer.inlineQueue.length), e.tokens = this.lexer.blockTokens(e.text, []), !o.loose) {
				let t = e.tokens.filter((e) => e.type === "space");
				o.loose = t.length > 0 && t.some((e) => this.rules.other.anyLine.test(e.raw));
			}
			for (let e = 0; e < o.items.length; e++) {
				let t = o.items[e], n = t.tokens[0];
				if (t.task && (n?.type === "text" || n?.type === "paragraph")) {
					t.text = t.text.replace(this.rules.other.listReplaceTask, ""), n.raw = n.raw.replace(this.rules.other.listReplaceTask, ""), n.text = n.text.replace(this.rules.other.listReplaceTask, "");
					let r = this.lexer.inlineQueue;
					for (let t = u[e]; t < r.length; t++) if (r[t].tokens === n.tokens) {
						r[t].src = r[t].src.replace(this.rules.other.listReplaceTask, "");
						break;
					}
					let i = this.rules.other.listTaskCheckbox.exec(t.raw);
					if (i) {
						let e = {
							type: "checkbox",
							raw: i[0] + " ",
							checked: i[0] !== "[ ]"
						};
						t.checked = e.checked, o.loose ? t.tokens[0] && ["paragraph", "text"].includes(t.tokens[0].type) && "tokens" in t.tokens[0] && t.tokens[0].tokens ? (t.tokens[0].raw = e.raw + t.tokens[0].raw, t.tokens[0].text = e.raw + t.tokens[0].text, t.tokens[0].tokens.unshift(e)) : t.tokens.unshift({
							type: "paragraph",
							raw: e.raw,
							text: e.raw,
							tokens: [e]
						}) : t.tokens.unshift(e);
					}
				} else t.task &&= !1;
			}
			if (o.loose) for (let e of o.items) {
				e.loose = !0;
				for (let t of e.tokens) t.type === "text" && (t.type = "paragraph");
			}
			return o;
		}
	}
	html(e) {
		let t = this.rules.block.html.exec(e);
		if (t) {
			if (this.lexer.state.lastToken?.type === "paragraph" && !this.rules.other.htmlBeginRegex(4).test(e)) return;
			let n = Rn(t[0]);
			return {
				type: "html",
				block: !0,
				raw: n,
				pre: t[1] === "pre" || t[1] === "script" || t[1] === "style",
				text: n
			};
		}
	}
	def(e) {
		let t = this.rules.block.def.exec(e);
		if (t) {
			if (!this.rules.other.startAngleBracket.test(t[2]) && Bn(t[2], "()") !== -1) return;
			let e = zn(t[1]), n = t[2] ? t[2].replace(this.rules.other.hrefBrackets, "$1").replace(this.rules.inline.anyPunctuation, "$1") : "", r = t[3] ? t[3].substring(1, t[3].length - 1).replace(this.rules.inline.anyPunctuation, "$1") : t[3];
			return {
				type: "def",
				tag: e,
				raw: W(t[0], "\n"),
				href: n,
				title: r
			};
		}
	}
	table(e) {
		let t = this.rules.block.table.exec(e);
		if (!t || !this.rules.other.tableDelimiter.test(t[2])) return;
		let n = Ln(t[1]), r = t[2].replace(this.rules.other.tableAlignChars, "").split("|"), i = t[3]?.trim() ? t[3].replace(this.rules.other.tableRowBlankLine, "").split("\n") : [], a = {
			type: "table",
			raw: W(t[0], "\n"),
			header: [],
			align: [],
			rows: []
		};
		if (n.length === r.length) {
			for (let e of r) this.rules.other.tableAlignRight.test(e) ? a.align.push("right") : this.rules.other.tableAlignCenter.test(e) ? a.align.push("center") : this.rules.other.tableAlignLeft.test(e) ? a.align.push("left") : a.align.push(null);
			for (let e = 0; e < n.length; e++) a.header.push({
				text: n[e],
				tokens: this.lexer.inline(n[e]),
				header: !0,
				align: a.align[e]
			});
			for (let e of i) a.rows.push(Ln(e, a.header.length).map((e, t) => ({
				text: e,
				tokens: this.lexer.inline(e),
				header: !1,
				align: a.align[t]
			})));
			return a;
		}
	}
	lheading(e) {
		let t = this.rules.block.lheading.exec(e);
		if (t) {
			let e = t[1].trim();
			return {
				type: "heading",
				raw: W(t[0], "\n"),
				depth: t[2].charAt(0) === "=" ? 1 : 2,
				text: e,
				tokens: this.lexer.inline(e)
			};
		}
	}
	paragraph(e) {
		let t = this.rules.block.paragraph.exec(e);
		if (t) {
			let e = t[1].charAt(t[1].length - 1) === "\n" ? t[1].slice(0, -1) : t[1];
			return {
				type: "paragraph",
				raw: t[0],
				text: e,
				tokens: this.lexer.inline(e)
			};
		}
	}
	text(e) {
		let t = this.rules.block.text.exec(e);
		if (t) return {
			type: "text",
			raw: t[0],
			text: t[0],
			tokens: this.lexer.inline(t[0])
		};
	}
	escape(e) {
		if (e.charCodeAt(0) !== 92) return;
		let t = this.rules.inline.escape.exec(e);
		if (t) return {
			type: "escape",
			raw: t[0],
			text: t[1]
		};
	}
	tag(e) {
		if (e.charCodeAt(0) !== 60) return;
		let t = this.rules.inline.tag.exec(e);
		if (t) return !this.lexer.state.inLink && this.rules.other.startATag.test(t[0]) ? this.lexer.state.inLink = !0 : this.lexer.state.inLink && this.rules.other.endATag.test(t[0]) && (this.lexer.state.inLink = !1), !this.lexer.state.inRawBlock && this.rules.other.startPreScriptTag.test(t[0]) ? this.lexer.state.inRawBlock = !0 : this.lexer.state.inRawBlock && this.rules.other.endPreScriptTag.test(t[0]) && (this.lexer.state.inRawBlock = !1), {
			type: "html",
			raw: t[0],
			inLink: this.lexer.state.inLink,
			inRawBlock: this.lexer.state.inRawBlock,
			block: !1,
			text: t[0]
		};
	}
	link(e) {
		if (this.lexer.state.linkParenPossible === !1) return;
		let t = e.charCodeAt(0);
		if (t !== 91 && t !== 33) return;
		let n = this.rules.inline.link.exec(e);
		if (n) {
			let t = n[0].charAt(0) === "!" ? 2 : 1;
			if (!this.options.pedantic && Zn(e, n[1], t, this.rules)) return;
			let r = n[2].trim();
			if (!this.options.pedantic && this.rules.other.startAngleBracket.test(r)) {
				if (!this.rules.other.endAngleBracket.test(r)) return;
				let e = W(r.slice(0, -1), "\\");
				if ((r.length - e.length) % 2 == 0) return;
			} else {
				let e = Bn(n[2], "()");
				if (e === -2) return;
				if (e > -1) {
					let t = (n[0].indexOf("!") === 0 ? 5 : 4) + n[1].length + e;
					n[2] = n[2].substring(0, e), n[0] = n[0].substring(0, t).trim(), n[3] = "";
				}
			}
			let i = W(n[0].slice(0, -1), "\\");
			if ((n[0].length - i.length) % 2 == 0) return;
			let a = n[2], o = "";
			if (this.options.pedantic) {
				let e = this.rules.other.pedanticHrefTitle.exec(a);
				e && (a = e[1], o = e[3]);
			} else o = n[3] ? n[3].slice(1, -1) : "";
			return a = a.trim(), this.rules.other.startAngleBracket.test(a) && (a = this.options.pedantic && !this.rules.other.endAngleBracket.test(r) ? a.slice(1) : a.slice(1, -1)), Yn(n, {
				href: a && a.replace(this.rules.inline.anyPunctuation, "$1"),
				title: o && o.replace(this.rules.inline.anyPunctuation, "$1")
			}, n[0], this.lexer, this.rules);
		}
	}
	reflink(e, t) {
		let n = e.charCodeAt(0);
		if (n !== 91 && n !== 33) return;
		let r;
		if ((r = this.rules.inline.reflink.exec(e)) || (r = this.rules.inline.nolink.exec(e))) {
			let n = r[0].charAt(0) === "!" ? 2 : 1;
			if (!this.options.pedantic && Zn(e, r[1], n, this.rules)) return;
			let i = t[zn(r[2] || r[1])];
			if (!i) {
				let e = r[0].charAt(0);
				return {
					type: "text",
					raw: e,
					text: e
				};
			}
			return Yn(r, i, r[0], this.lexer, this.rules);
		}
	}
	emStrong(e, t, n = "") {
		let r = this.rules.inline.emStrongLDelim.exec(e);
		if (!r || !r[1] && !r[2] && !r[3] && !r[4]) return;
		let i = r[0][0], a = n === i, o = t.length - e.length, s = o;
		for (; !this.options.pedantic && s > 0 && t[s - 1] === i;) s--;
		let c = [...t.slice(Math.max(0, s - 2), s)].at(-1) ?? "", l = c === "*" || c === "_" || !!this.rules.inline.punctuation.exec(c);
		s < o && (n = c);
		let u = s < o ? l : n === "*" || n === "_" || !!this.rules.inline.punctuation.exec(n);
		if (r[4] && n.match(this.rules.other.unicodeAlphaNumeric)) return;
		let d = r[1] || r[3] || "";
		if (!d || !n || u) {
			let n = [...r[0]].length - 1, u, f, p = n, m = 0, h = o - s + n, g = !this.options.pedantic && !!c.trim() && (!!d || i === "*" && !l);
			if (i !== "*" && i !== "_") return;
			let ee = i === "*" ? this.rules.inline.emStrongRDelimAst : this.rules.inline.emStrongRDelimUnd, te = Gn(this, t, i), ne = t.length - e.length + n;
			if (te < ne) return;
			t = t.slice(-1 * e.length + n);
			let _ = te - ne;
			for (ee.lastIndex = 0; (r = ee.exec(t)) !== null && !(r.index > _);) {
				if (u = r[1] || r[2] || r[3] || r[4] || r[5] || r[6], !u) continue;
				if (f = [...u].length, r[3] || r[4]) {
					p += f;
					continue;
				}
				if ((r[5] || r[6] || g) && h % 3 && !((h + f) % 3)) {
					if (a && (r[5] || r[6])) break;
					m += f;
					continue;
				}
				if (p -= f, p > 0) continue;
				f = Math.min(f, f + p + m);
				let t = [...r[0]][0].length, i = e.slice(0, n + r.index + t + f);
				if (Math.min(n, f) % 2) {
					let e = i.slice(1, -1);
					return {
						type: "em",
						raw: i,
						text: e,
						tokens: this.lexer.inlineTokens(e)
					};
				}
				let o = i.slice(2, -2);
				return {
					type: "strong",
					raw: i,
					text: o,
					tokens: this.lexer.inlineTokens(o)
				};
			}
		}
	}
	codespan(e) {
		if (e.charCodeAt(0) !== 96) return;
		let t = this.rules.inline.code.exec(e);
		if (t) {
			let e = t[2].replace(this.rules.other.newLineCharGlobal, " "), n = this.rules.other.nonSpaceChar.test(e), r = this.rules.other.startingSpaceChar.test(e) && this.rules.other.endingSpaceChar.test(e);
			return n && r && (e = e.substring(1, e.length - 1)), {
				type: "codespan",
				raw: t[0],
				text: e
			};
		}
	}
	br(e) {
		let t = e.charCodeAt(0);
		if (t !== 32 && t !== 92 && t !== 10) return;
		let n = this.rules.inline.br.exec(e);
		if (n) return {
			type: "br",
			raw: n[0]
		};
	}
	del(e, t, n = "") {
		if (e.charCodeAt(0) !== 126) return;
		let r = this.rules.inline.delLDelim.exec(e);
		if (r && (!r[1] || !n || this.rules.inline.punctuation.exec(n))) {
			let n = [...r[0]].length - 1, i, a, o = n, s = this.rules.inline.delRDelim, c = Kn(this, t), l = t.length - e.length + n;
			if (c < l) return;
			t = t.slice(-1 * e.length + n);
			let u = c - l;
			for (s.lastIndex = 0; (r = s.exec(t)) !== null && !(r.index > u);) {
				if (i = r[1] || r[2] || r[3] || r[4] || r[5] || r[6], !i || (a = [...i].length, a !== n)) continue;
				if (r[3] || r[4]) {
					o += a;
					continue;
				}
				if (o -= a, o > 0) continue;
				a = Math.min(a, a + o);
				let t = [...r[0]][0].length, s = e.slice(0, n + r.index + t + a), c = s.slice(n, -n);
				return {
					type: "del",
					raw: s,
					text: c,
					tokens: this.lexer.inlineTokens(c)
				};
			}
		}
	}
	autolink(e) {
		if (e.charCodeAt(0) !== 60) return;
		let t = this.rules.inline.autolink.exec(e);
		if (t) {
			let e, n;
			return t[2] === "@" ? (e = t[1], n = "mailto:" + e) : (e = t[1], n = e), {
				type: "link",
				raw: t[0],
				text: e,
				href: n,
				autolink: !0,
				tokens: [{
					type: "text",
					raw: e,
					text: e
				}]
			};
		}
	}
	url(e) {
		let t;
		if (t = this.rules.inline.url.exec(e)) {
			let e, n;
			if (t[2] === "@") e = t[0], n = "mailto:" + e;
			else {
				let r;
				do
					r = t[0], t[0] = this.rules.inline._backpedal.exec(t[0])?.[0] ?? "";
				while (r !== t[0]);
				e = t[0], n = t[1] === "www." ? "http://" + t[0] : t[0];
			}
			return {
				type: "link",
				raw: t[0],
				text: e,
				href: n,
				autolink: !0,
				tokens: [{
					type: "text",
					raw: e,
					text: e
				}]
			};
		}
	}
	inlineText(e) {
		let t = this.rules.inline.text.exec(e);
		if (t) {
			let e = this.lexer.state.inRawBlock;
			return {
				type: "text",
				raw: t[0],
				text: e ? t[0] : Fn(t[0]),
				escaped: e
			};
		}
	}
}, K = class e {
	tokens;
	options;
	state;
	inlineQueue;
	tokenizer;
	constructor(e) {
		this.tokens = [], this.tokens.links = Object.create(null), this.options = e || bt, this.options.tokenizer = this.options.tokenizer || new G(), this.tokenizer = this.options.tokenizer, this.tokenizer.options = this.options, this.tokenizer.lexer = this, this.inlineQueue = [], this.state = {
			inLink: !1,
			inRawBlock: !1,
			linkEmitted: !1,
			linkParenPossible: !0,
			top: !0
		};
		let t = {
			other: M,
			block: jn.normal,
			inline: Mn.normal
		};
		this.options.pedantic ? (t.block = jn.pedantic, t.inline = Mn.pedantic) : this.options.gfm && (t.block = jn.gfm, t.inline = this.options.breaks ? Mn.breaks : Mn.gfm), this.tokenizer.rules = t;
	}
	static get rules() {
		return {
			block: jn,
			inline: Mn
		};
	}
	static lex(t, n) {
		return new e(n).lex(t);
	}
	static lexInline(t, n) {
		return new e(n).inlineTokens(t);
	}
	lex(e) {
		e = e.replace(M.carriageReturn, "\n"), this.blockTokens(e, this.tokens);
		for (let e = 0; e < this.inlineQueue.length; e++) {
			let t = this.inlineQueue[e];
			this.state.inRawBlock = !1, this.inlineTokens(t.src, t.tokens);
		}
		return this.inlineQueue = [], this.tokens;
	}
	blockTokens(e, t = [], n = !1) {
		this.tokenizer.lexer = this;
		let r = this.state.lastToken;
		this.options.pedantic && (e = e.replace(M.tabCharGlobal, "    ").replace(M.spaceLine, ""));
		let i = 1 / 0, a, o = this.options.gfm && !this.options.pedantic && this.tokenizer.paragraph === G.prototype.paragraph;
		for (; e;) {
			if (e.length < i) i = e.length;
			else {
				this.infiniteLoopError(e.charCodeAt(0));
				break;
			}
			this.state.lastToken = t.at(-1);
			let r;
			if (this.options.extensions?.block?.some((n) => (r = n.call({ lexer: this }, e, t)) ? (e = e.substring(r.raw.length), t.push(r), !0) : !1)) continue;
			if (r = this.tokenizer.space(e)) {
				e = e.substring(r.raw.length);
				let n = t.at(-1);
				r.raw.length === 1 && n !== void 0 ? n.raw += "\n" : t.push(r);
				continue;
			}
			if (r = this.tokenizer.code(e)) {
				e = e.substring(r.raw.length);
				let n = t.at(-1);
				n?.type === "paragraph" || n?.type === "text" ? (n.raw += (n.raw.endsWith("\n") ? "" : "\n") + r.raw, n.text += "\n" + r.text, this.inlineQueue.at(-1).src = n.text) : t.push(r);
				continue;
			}
			if ((r = this.tokenizer.fences(e)) || (r = this.tokenizer.heading(e)) || (r = this.tokenizer.hr(e)) || (r = this.tokenizer.blockquote(e)) || (r = this.tokenizer.list(e)) || (r = this.tokenizer.html(e))) {
				e = e.substring(r.raw.length), t.push(r);
				continue;
			}
			if (r = this.tokenizer.def(e)) {
				e = e.substring(r.raw.length);
				let n = t.at(-1);
				n?.type === "paragraph" || n?.type === "text" ? (n.raw += (n.raw.endsWith("\n") ? "" : "\n") + r.raw, n.text += "\n" + r.raw, this.inlineQueue.at(-1).src = n.text) : (this.tokens.links[r.tag] || (this.tokens.links[r.tag] = {
					href: r.href,
					title: r.title
				}), t.push(r));
				continue;
			}
			if ((r = this.tokenizer.table(e)) || (r = this.tokenizer.lheading(e))) {
				e = e.substring(r.raw.length), t.push(r);
				continue;
			}
			let s = e;
			if (this.options.extensions?.startBlock) {
				let t = 1 / 0, n = e.slice(1), r;
				this.options.extensions.startBlock.forEach((e) => {
					r = e.call({ lexer: this }, n), typeof r == "number" && r >= 0 && (t = Math.min(t, r));
				}), t < 1 / 0 && t >= 0 && (s = e.substring(0, t + 1));
			}
			if (this.state.top && (r = this.tokenizer.paragraph(s))) {
				let i = t.at(-1);
				(n || i === a && o) && i?.type === "paragraph" ? (i.raw += (i.raw.endsWith("\n") ? "" : "\n") + r.raw, i.text += "\n" + r.text, this.inlineQueue.pop(), this.inlineQueue.at(-1).src = i.text, a = i) : (t.push(r), a = r), n = s.length !== e.length, e = e.substring(r.raw.length);
			} else if (r = this.tokenizer.text(e)) {
				e = e.substring(r.raw.length);
				let n = t.at(-1);
				n?.type === "text" ? (n.raw += (n.raw.endsWith("\n") ? "" : "\n") + r.raw, n.text += "\n" + r.text, this.inlineQueue.pop(), this.inlineQueue.at(-1).src = n.text) : t.push(r);
			} else if (e) {
				this.infiniteLoopError(e.charCodeAt(0));
				break;
			}
		}
		return this.state.top = !0, this.state.lastToken = r, t;
	}
	inline(e, t = []) {
		return this.inlineQueue.push({
			src: e,
			tokens: t
		}), t;
	}
	linkInText(e) {
		if (!e.includes("[")) return !1;
		let t = this.tokenizer.rules.inline.link;
		for (let n of e.matchAll(this.tokenizer.rules.inline.blockSkip)) if (t.test(n[0]) && e.charAt(n.index - 1) !== "!") return !0;
		for (let t of e.matchAll(this.tokenizer.rules.inline.reflinkSearch)) {
			let e = t[0], n = e.lastIndexOf("[");
			if (e.charAt(0) !== "!" && Object.hasOwn(this.tokens.links, zn(e.slice(n + 1, -1))) && !(n > 1 && this.linkInText(e.slice(1, n - 1)))) return !0;
		}
		return !1;
	}
	inlineTokens(e, t = []) {
		this.tokenizer.lexer = this;
		let n = this.state.linkParenPossible;
		this.state.linkParenPossible = e.includes(")");
		try {
			return this.#e(e, t);
		} finally {
			this.state.linkParenPossible = n;
		}
	}
	#e(e, t) {
		let n = e.includes("*") || e.includes("_") || e.includes("~"), r = n || this.options.hooks?.emStrongMask || this.tokenizer.emStrong !== G.prototype.emStrong || this.tokenizer.del !== G.prototype.del ? this.#r(e) : e;
		if (!n) return this.#t(e, r, t);
		Un(this.tokenizer, r);
		try {
			return this.#t(e, r, t);
		} finally {
			Wn(this.tokenizer);
		}
	}
	#t(e, t, n) {
		let r = !1, i = "", a = 1 / 0;
		for (; e;) {
			if (e.length < a) a = e.length;
			else {
				this.infiniteLoopError(e.charCodeAt(0));
				break;
			}
			r || (i = ""), r = !1;
			let o;
			if (this.options.extensions?.inline?.some((t) => (o = t.call({ lexer: this }, e, n)) ? (e = e.substring(o.raw.length), n.push(o), !0) : !1)) continue;
			if ((o = this.tokenizer.escape(e)) || (o = this.tokenizer.tag(e)) || (o = this.tokenizer.link(e))) {
				e = e.substring(o.raw.length), n.push(o);
				continue;
			}
			if (o = this.tokenizer.reflink(e, this.tokens.links)) {
				e = e.substring(o.raw.length);
				let t = n.at(-1);
				o.type === "text" && t?.type === "text" ? (t.raw += o.raw, t.text += o.text) : n.push(o);
				continue;
			}
			let s = e[0];
			if (s === "*" || s === "_") {
				let a = t.length - e.length;
				if (Gn(this.tokenizer, t, s) <= a) {
					let t = 1;
					for (; t < e.length && e.charCodeAt(t) === s.charCodeAt(0);) t++;
					let a = e.substring(0, t), o = n.at(-1);
					o?.type === "text" && !o.escaped ? (o.raw += a, o.text += a) : n.push({
						type: "text",
						raw: a,
						text: a,
						escaped: !1
					}), e = e.substring(t), i = s, r = !0;
					continue;
				}
			} else if (s === "~") {
				let a = t.length - e.length;
				if (Kn(this.tokenizer, t) <= a) {
					let t = 1;
					for (; t < e.length && e.charCodeAt(t) === 126;) t++;
					let a = e.substring(0, t), o = n.at(-1);
					o?.type === "text" && !o.escaped ? (o.raw += a, o.text += a) : n.push({
						type: "text",
						raw: a,
						text: a,
						escaped: !1
					}), e = e.substring(t), i = s, r = !0;
					continue;
				}
			}
			if ((o = this.tokenizer.emStrong(e, t, i)) || (o = this.tokenizer.codespan(e)) || (o = this.tokenizer.br(e)) || (o = this.tokenizer.del(e, t, i)) || (o = this.tokenizer.autolink(e)) || !this.state.inLink && (o = this.tokenizer.url(e))) {
				e = e.substring(o.raw.length), n.push(o);
				continue;
			}
			let c = e;
			if (this.options.extensions?.startInline) {
				let t = 1 / 0, n = e.slice(1), r;
				this.options.extensions.startInline.forEach((e) => {
					r = e.call({ lexer: this }, n), typeof r == "number" && r >= 0 && (t = Math.min(t, r));
				}), t < 1 / 0 && t >= 0 && (c = e.substring(0, t + 1));
			}
			if (o = this.tokenizer.inlineText(c)) {
				e = e.substring(o.raw.length), o.raw.slice(-1) !== "_" && (i = o.raw.slice(-1)), r = !0;
				let t = n.at(-1);
				t?.type === "text" ? (t.raw += o.raw, t.text += o.text) : n.push(o);
			} else if (e) {
				this.infiniteLoopError(e.charCodeAt(0));
				break;
			}
		}
		return n;
	}
	#n(e) {
		let { blockSkip: t, tag: n, autolink: r } = this.tokenizer.rules.inline, i = "", a = 0, o;
		for (t.lastIndex = 0; o = t.exec(e);) {
			let s = o.index + (o[2] ? o[2].length : 0), c = o.index + o[0].length;
			if (e.charAt(s) === "<") {
				let i = e.slice(s), a = n.exec(i) || r.exec(i);
				if (!a) {
					t.lastIndex = s + 1;
					continue;
				}
				c = s + a[0].length, t.lastIndex = c;
			}
			i += e.slice(a, s) + "[" + "a".repeat(c - s - 2) + "]", a = c;
		}
		return i + e.slice(a);
	}
	#r(e) {
		let t = e;
		if (this.tokens.links && e.includes("[")) {
			let e = this.tokenizer.rules.inline.reflinkSearch, n = (t) => {
				let r = t.lastIndexOf("[");
				if (!Object.hasOwn(this.tokens.links, zn(t.slice(r + 1, -1)))) return t;
				if (r > 1 && t.charAt(0) !== "!") {
					let i = t.slice(1, r - 1);
					if (this.linkInText(i)) return "[" + i.replace(e, n) + "][" + "a".repeat(t.length - r - 2) + "]";
				}
				return "[" + "a".repeat(t.length - 2) + "]";
			};
			t = t.replace(e, n);
		}
		return t = t.replace(this.tokenizer.rules.inline.anyPunctuationOutsideCode, (e, t, n) => n ? "+".repeat(e.length) : t ? t + e.slice(t.length, -t.length).replace(/`/g, "+") + t : e), t = this.#n(t), t = this.options.hooks?.emStrongMask?.call({ lexer: this }, t) ?? t, t;
	}
	infiniteLoopError(e) {
		let t = "Infinite loop on byte: " + e;
		if (this.options.silent) console.error(t);
		else throw Error(t);
	}
}, q = class {
	options;
	parser;
	constructor(e) {
		this.options = e || bt;
	}
	space(e) {
		return "";
	}
	code({ text: e, lang: t, escaped: n }) {
		let r = (t || "").match(M.notSpaceStart)?.[0], i = e ? e.replace(M.endingNewline, "") + "\n" : "";
		return r ? "<pre><code class=\"language-" + U(r) + "\">" + (n ? i : U(i, !0)) + "</code></pre>\n" : "<pre><code>" + (n ? i : U(i, !0)) + "</code></pre>\n";
	}
	blockquote({ tokens: e }) {
		return `<blockquote>
${this.parser.parse(e)}</blockquote>
`;
	}
	html({ text: e }) {
		return e;
	}
	def(e) {
		return "";
	}
	heading({ tokens: e, depth: t }) {
		return `<h${t}>${this.parser.parseInline(e)}</h${t}>
`;
	}
	hr(e) {
		return "<hr>\n";
	}
	list(e) {
		let t = e.ordered, n = e.start, r = "";
		for (let t = 0; t < e.items.length; t++) {
			let n = e.items[t];
			r += this.listitem(n);
		}
		let i = t ? "ol" : "ul", a = t && n !== 1 ? " start=\"" + n + "\"" : "";
		return "<" + i + a + ">\n" + r + "</" + i + ">\n";
	}
	listitem(e) {
		return `<li>${this.parser.parse(e.tokens)}</li>
`;
	}
	checkbox({ checked: e }) {
		return "<input " + (e ? "checked=\"\" " : "") + "disabled=\"\" type=\"checkbox\"> ";
	}
	paragraph({ tokens: e }) {
		return `<p>${this.parser.parseInline(e)}</p>
`;
	}
	table(e) {
		let t = "", n = "";
		for (let t = 0; t < e.header.length; t++) n += this.tablecell(e.header[t]);
		t += this.tablerow({ text: n });
		let r = "";
		for (let t = 0; t < e.rows.length; t++) {
			let i = e.rows[t];
			n = "";
			for (let e = 0; e < i.length; e++) n += this.tablecell(i[e]);
			r += this.tablerow({ text: n });
		}
		return r &&= `<tbody>${r}</tbody>`, "<table>\n<thead>\n" + t + "</thead>\n" + r + "</table>\n";
	}
	tablerow({ text: e }) {
		return `<tr>
${e}</tr>
`;
	}
	tablecell(e) {
		let t = this.parser.parseInline(e.tokens), n = e.header ? "th" : "td";
		return (e.align ? `<${n} align="${e.align}">` : `<${n}>`) + t + `</${n}>
`;
	}
	strong({ tokens: e }) {
		return `<strong>${this.parser.parseInline(e)}</strong>`;
	}
	em({ tokens: e }) {
		return `<em>${this.parser.parseInline(e)}</em>`;
	}
	codespan({ text: e }) {
		return `<code>${U(e, !0)}</code>`;
	}
	br(e) {
		return "<br>";
	}
	del({ tokens: e }) {
		return `<del>${this.parser.parseInline(e)}</del>`;
	}
	link({ href: e, title: t, text: n, tokens: r, autolink: i }) {
		let a = i ? U(n, !0) : this.parser.parseInline(r), o = In(e);
		if (o === null) return a;
		e = U(o, i);
		let s = "<a href=\"" + e + "\"";
		return t && (s += " title=\"" + U(t) + "\""), s += ">" + a + "</a>", s;
	}
	image({ href: e, title: t, text: n, tokens: r }) {
		r && (n = this.parser.parseInline(r, this.parser.textRenderer));
		let i = In(e);
		if (i === null) return U(n);
		e = i;
		let a = `<img src="${U(e)}" alt="${U(n)}"`;
		return t && (a += ` title="${U(t)}"`), a += ">", a;
	}
	text(e) {
		return "tokens" in e && e.tokens ? this.parser.parseInline(e.tokens) : "escaped" in e && e.escaped ? e.text : U(e.text);
	}
}, Qn = class {
	parser;
	strong({ text: e, tokens: t }) {
		return t ? this.parser.parseInline(t, this) : e;
	}
	em({ text: e, tokens: t }) {
		return t ? this.parser.parseInline(t, this) : e;
	}
	codespan({ text: e }) {
		return e;
	}
	del({ text: e, tokens: t }) {
		return t ? this.parser.parseInline(t, this) : e;
	}
	html({ text: e }) {
		return e;
	}
	text({ text: e }) {
		return e;
	}
	link({ text: e, tokens: t }) {
		return t ? this.parser.parseInline(t, this) : e;
	}
	image({ text: e, tokens: t }) {
		return t ? this.parser.parseInline(t, this) : e;
	}
	br() {
		return "\n";
	}
	checkbox({ raw: e }) {
		return e;
	}
}, J = class e {
	options;
	renderer;
	textRenderer;
	constructor(e) {
		this.options = e || bt, this.options.renderer = this.options.renderer || new q(), this.renderer = this.options.renderer, this.renderer.options = this.options, this.renderer.parser = this, this.textRenderer = new Qn(), this.textRenderer.parser = this;
	}
	static parse(t, n) {
		return new e(n).parse(t);
	}
	static parseInline(t, n) {
		return new e(n).parseInline(t);
	}
	parse(e) {
		this.renderer.parser = this;
		let t = "";
		for (let n = 0; n < e.length; n++) {
			let r = e[n];
			if (this.options.extensions?.renderers?.[r.type]) {
				let e = r, n = this.options.extensions.renderers[e.type].call({ parser: this }, e);
				if (n !== !1 || ![
					"space",
					"hr",
					"heading",
					"code",
					"table",
					"blockquote",
					"list",
					"checkbox",
					"html",
					"def",
					"paragraph",
					"text"
				].includes(e.type)) {
					t += n === !1 ? "" : n ?? "";
					continue;
				}
			}
			let i = r;
			switch (i.type) {
				case "space":
					t += this.renderer.space(i);
					break;
				case "hr":
					t += this.renderer.hr(i);
					break;
				case "heading":
					t += this.renderer.heading(i);
					break;
				case "code":
					t += this.renderer.code(i);
					break;
				case "table":
					t += this.renderer.table(i);
					break;
				case "blockquote":
					t += this.renderer.blockquote(i);
					break;
				case "list":
					t += this.renderer.list(i);
					break;
				case "checkbox":
					t += this.renderer.checkbox(i);
					break;
				case "html":
					t += this.renderer.html(i);
					break;
				case "def":
					t += this.renderer.def(i);
					break;
				case "paragraph":
					t += this.renderer.paragraph(i);
					break;
				case "text":
					t += this.renderer.text(i);
					break;
				default: {
					let e = "Token with \"" + i.type + "\" type was not found.";
					if (this.options.silent) return console.error(e), "";
					throw Error(e);
				}
			}
		}
		return t;
	}
	parseInline(e, t = this.renderer) {
		this.renderer.parser = this;
		let n = "";
		for (let r = 0; r < e.length; r++) {
			let i = e[r];
			if (this.options.extensions?.renderers?.[i.type]) {
				let e = this.options.extensions.renderers[i.type].call({ parser: this }, i);
				if (e !== !1 || ![
					"escape",
					"html",
					"link",
					"image",
					"checkbox",
					"strong",
					"em",
					"codespan",
					"br",
					"del",
					"text"
				].includes(i.type)) {
					n += e === !1 ? "" : e ?? "";
					continue;
				}
			}
			let a = i;
			switch (a.type) {
				case "escape":
					n += t.text(a);
					break;
				case "html":
					n += t.html(a);
					break;
				case "link":
					n += t.link(a);
					break;
				case "image":
					n += t.image(a);
					break;
				case "checkbox":
					n += t.checkbox(a);
					break;
				case "strong":
					n += t.strong(a);
					break;
				case "em":
					n += t.em(a);
					break;
				case "codespan":
					n += t.codespan(a);
					break;
				case "br":
					n += t.br(a);
					break;
				case "del":
					n += t.del(a);
					break;
				case "text":
					n += t.text(a);
					break;
				default: {
					let e = "Token with \"" + a.type + "\" type was not found.";
					if (this.options.silent) return console.error(e), "";
					throw Error(e);
				}
			}
		}
		return n;
	}
}, Y = class {
	options;
	block;
	constructor(e) {
		this.options = e || bt;
	}
	static passThroughHooks = /* @__PURE__ */ new Set([
		"preprocess",
		"postprocess",
		"processAllTokens",
		"emStrongMask"
	]);
	static passThroughHooksRespectAsync = /* @__PURE__ */ new Set([
		"preprocess",
		"postprocess",
		"processAllTokens"
	]);
	preprocess(e) {
		return e;
	}
	postprocess(e) {
		return e;
	}
	processAllTokens(e) {
		return e;
	}
	emStrongMask(e) {
		return e;
	}
	provideLexer(e = this.block) {
		return e ? K.lex : K.lexInline;
	}
	provideParser(e = this.block) {
		return e ? J.parse : J.parseInline;
	}
};
function X(e, t) {
	if (Array.isArray(t)) for (let n = 0; n < t.length; n++) e.push(t[n]);
	else e.push(t);
}
var Z = new class {
	defaults = yt();
	options = this.setOptions;
	parse = this.parseMarkdown(!0);
	parseInline = this.parseMarkdown(!1);
	Parser = J;
	Renderer = q;
	TextRenderer = Qn;
	Lexer = K;
	Tokenizer = G;
	Hooks = Y;
	constructor(...e) {
		this.use(...e);
	}
	walkTokens(e, t) {
		let n = [];
		for (let r of e) switch (X(n, t.call(this, r)), r.type) {
			case "table": {
				let e = r;
				for (let r of e.header) X(n, this.walkTokens(r.tokens, t));
				for (let r of e.rows) for (let e of r) X(n, this.walkTokens(e.tokens, t));
				break;
			}
			case "list": {
				let e = r;
				X(n, this.walkTokens(e.items, t));
				break;
			}
			default: {
				let e = r;
				this.defaults.extensions?.childTokens?.[e.type] ? this.defaults.extensions.childTokens[e.type].forEach((r) => {
					let i = e[r].flat(1 / 0);
					X(n, this.walkTokens(i, t));
				}) : e.tokens && X(n, this.walkTokens(e.tokens, t));
			}
		}
		return n;
	}
	use(...e) {
		let t = this.defaults.extensions || {
			renderers: Object.create(null),
			childTokens: Object.create(null)
		};
		return e.forEach((e) => {
			let n = { ...e };
			if (n.async = this.defaults.async || n.async || !1, e.extensions && (e.extensions.forEach((e) => {
				if (!e.name) throw Error("extension name required");
				if ("renderer" in e) {
					let n = t.renderers[e.name];
					n ? t.renderers[e.name] = function(...t) {
						let r = e.renderer.apply(this, t);
						return r === !1 && (r = n.apply(this, t)), r;
					} : t.renderers[e.name] = e.renderer;
				}
				if ("tokenizer" in e) {
					if (!e.level || e.level !== "block" && e.level !== "inline") throw Error("extension level must be 'block' or 'inline'");
					let n = t[e.level];
					n ? n.unshift(e.tokenizer) : t[e.level] = [e.tokenizer], e.start && (e.level === "block" ? t.startBlock ? t.startBlock.push(e.start) : t.startBlock = [e.start] : e.level === "inline" && (t.startInline ? t.startInline.push(e.start) : t.startInline = [e.start]));
				}
				"childTokens" in e && e.childTokens && (t.childTokens[e.name] = e.childTokens);
			}), n.extensions = t), e.renderer) {
				let t = this.defaults.renderer || new q(this.defaults);
				for (let n in e.renderer) {
					if (!(n in t)) throw Error(`renderer '${n}' does not exist`);
					if (["options", "parser"].includes(n)) continue;
					let r = n, i = e.renderer[r], a = t[r];
					t[r] = (...e) => {
						let n = i.apply(t, e);
						return n === !1 && (n = a.apply(t, e)), n === !1 ? "" : n ?? "";
					};
				}
				n.renderer = t;
			}
			if (e.tokenizer) {
				let t = this.defaults.tokenizer || new G(this.defaults);
				for (let n in e.tokenizer) {
					if (!(n in t)) throw Error(`tokenizer '${n}' does not exist`);
					if ([
						"options",
						"rules",
						"lexer"
					].includes(n)) continue;
					let r = n, i = e.tokenizer[r], a = t[r];
					t[r] = (...e) => {
						let n = i.apply(t, e);
						return n === !1 && (n = a.apply(t, e)), n;
					};
				}
				n.tokenizer = t;
			}
			if (e.hooks) {
				let t = this.defaults.hooks || new Y();
				for (let n in e.hooks) {
					if (!(n in t)) throw Error(`hook '${n}' does not exist`);
					if (["options", "block"].includes(n)) continue;
					let r = n, i = e.hooks[r], a = t[r];
					t[r] = Y.passThroughHooks.has(n) ? (e) => {
						if (t.options.async && Y.passThroughHooksRespectAsync.has(n)) return (async () => {
							let n = await i.call(t, e);
							return a.call(t, n);
						})();
						let r = i.call(t, e);
						return a.call(t, r);
					} : (...e) => {
						if (t.options.async) return (async () => {
							let n = await i.apply(t, e);
							return n === !1 && (n = await a.apply(t, e)), n;
						})();
						let n = i.apply(t, e);
						return n === !1 && (n = a.apply(t, e)), n;
					};
				}
				n.hooks = t;
			}
			if (e.walkTokens) {
				let t = this.defaults.walkTokens, r = e.walkTokens;
				n.walkTokens = function(e) {
					let n = [];
					return X(n, r.call(this, e)), t && X(n, t.call(this, e)), n;
				};
			}
			this.defaults = {
				...this.defaults,
				...n
			};
		}), this;
	}
	setOptions(e) {
		return this.defaults = {
			...this.defaults,
			...e
		}, this;
	}
	lexer(e, t) {
		return K.lex(e, t ?? this.defaults);
	}
	parser(e, t) {
		return J.parse(e, t ?? this.defaults);
	}
	parseMarkdown(e) {
		return (t, n) => {
			let r = { ...n }, i = {
				...this.defaults,
				...r
			}, a = this.onError(!!i.silent, !!i.async);
			if (this.defaults.async === !0 && r.async === !1) return a(/* @__PURE__ */ Error("marked(): The async option was set to true by an extension. Remove async: false from the parse options object to return a Promise."));
			if (typeof t > "u" || t === null) return a(/* @__PURE__ */ Error("marked(): input parameter is undefined or null"));
			if (typeof t != "string") return a(/* @__PURE__ */ Error("marked(): input parameter is of type " + Object.prototype.toString.call(t) + ", string expected"));
			if (i.hooks && (i.hooks.options = i, i.hooks.block = e), i.async) return (async () => {
				let n = i.hooks ? await i.hooks.preprocess(t) : t, r = await (i.hooks ? await i.hooks.provideLexer(e) : e ? K.lex : K.lexInline)(n, i), a = i.hooks ? await i.hooks.processAllTokens(r) : r;
				i.walkTokens && await Promise.all(this.walkTokens(a, i.walkTokens));
				let o = await (i.hooks ? await i.hooks.provideParser(e) : e ? J.parse : J.parseInline)(a, i);
				return i.hooks ? await i.hooks.postprocess(o) : o;
			})().catch(a);
			try {
				i.hooks && (t = i.hooks.preprocess(t));
				let n = (i.hooks ? i.hooks.provideLexer(e) : e ? K.lex : K.lexInline)(t, i);
				i.hooks && (n = i.hooks.processAllTokens(n)), i.walkTokens && this.walkTokens(n, i.walkTokens);
				let r = (i.hooks ? i.hooks.provideParser(e) : e ? J.parse : J.parseInline)(n, i);
				return i.hooks && (r = i.hooks.postprocess(r)), r;
			} catch (e) {
				return a(e);
			}
		};
	}
	onError(e, t) {
		return (n) => {
			if (n.message += "\nPlease report this to https://github.com/markedjs/marked.", e) {
				let e = "<p>An error occurred:</p><pre>" + U(n.message + "", !0) + "</pre>";
				return t ? Promise.resolve(e) : e;
			}
			if (t) return Promise.reject(n);
			throw n;
		};
	}
}();
function Q(e, t) {
	return Z.parse(e, t);
}
Q.options = Q.setOptions = function(e) {
	return Z.setOptions(e), Q.defaults = Z.defaults, xt(Q.defaults), Q;
}, Q.getDefaults = yt, Q.defaults = bt;
function $n(...e) {
	return Z.use(...e), Q.defaults = Z.defaults, xt(Q.defaults), Q;
}
Q.use = $n, Q.walkTokens = function(e, t) {
	return Z.walkTokens(e, t);
}, Q.parseInline = Z.parseInline, Q.Parser = J, Q.parser = J.parse, Q.Renderer = q, Q.TextRenderer = Qn, Q.Lexer = K, Q.lexer = K.lex, Q.Tokenizer = G, Q.Hooks = Y, Q.parse = Q, Q.options, Q.setOptions, Q.walkTokens, Q.parseInline, J.parse, K.lex;
// src/render/nodes.ts
function er(e) {
	return e.map((e) => {
		switch (e.kind) {
			case "text":
			case "code": return e.text;
			case "cite": return `[${e.n}]`;
			case "break": return " ";
			default: return er(e.children);
		}
	}).join("");
}
// src/render/parse.ts
var tr = 2e4, nr = 8, rr = /^(?:[ \t]*(?:>|[-+*][ \t]|\d{1,9}[.)][ \t])){9,}/m, ir = 800, ar = /[\u0000-\u0008\u000b-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu, or = /\[(\d{1,2})\](?!\()/g, sr = class extends G {
	html() {}
	tag() {}
	def() {}
	reflink() {}
}, cr = {
	amp: "&",
	lt: "<",
	gt: ">",
	quot: "\"",
	apos: "'",
	nbsp: "\xA0"
};
function lr(e) {
	return e.replace(/&(?:#39|amp|lt|gt|quot|apos|nbsp);/g, (e) => e === "&#39;" ? "'" : cr[e.slice(1, -1)] ?? e);
}
function ur(e) {
	return e.slice(0, tr).replace(ar, "");
}
function dr(e, t) {
	let n = ur(e);
	if (!n.trim()) return [];
	if ((n.match(/[*_]+/g)?.length ?? 0) > ir || rr.test(n)) return fr(n);
	try {
		return pr(new K({
			gfm: !0,
			breaks: !1,
			tokenizer: new sr()
		}).lex(n), t, 0);
	} catch {
		return fr(n);
	}
}
function fr(e) {
	let t = [];
	return ur(e).split("\n").forEach((e, n) => {
		n && t.push({ kind: "break" }), e && t.push({
			kind: "text",
			text: e
		});
	}), t.length ? [{
		kind: "paragraph",
		children: t
	}] : [];
}
function pr(e, t, n) {
	return e.flatMap((e) => mr(e, t, n));
}
function mr(e, t, n) {
	if (n > nr) return fr(e.raw);
	switch (e.type) {
		case "space":
		case "hr":
		case "checkbox": return [];
		case "heading": return [{
			kind: "heading",
			children: $(e.tokens, t, n + 1)
		}];
		case "code": return [{
			kind: "code",
			text: e.text
		}];
		case "blockquote": return [{
			kind: "quote",
			children: pr(e.tokens, t, n + 1)
		}];
		case "list": return [hr(e, t, n)];
		case "table": return [gr(e, t, n)];
		case "paragraph":
		case "text": return [{
			kind: "paragraph",
			children: $(e.tokens ?? [], t, n + 1)
		}];
		default: return fr(e.raw);
	}
}
function hr(e, t, n) {
	return {
		kind: "list",
		ordered: e.ordered,
		start: Math.min(Number(e.start) || 1, 9999),
		items: e.items.map((e) => pr(e.tokens, t, n + 1))
	};
}
function gr(e, t, n) {
	let r = [];
	return [e.header, ...e.rows].forEach((e, i) => {
		i && r.push({ kind: "break" }), e.forEach((e, i) => {
			i && r.push({
				kind: "text",
				text: " | "
			}), r.push(...$(e.tokens, t, n + 1));
		});
	}), {
		kind: "paragraph",
		children: r
	};
}
function $(e, t, n) {
	return e.flatMap((e) => _r(e, t, n));
}
function _r(e, t, n) {
	if (n > nr) return [{
		kind: "text",
		text: e.raw
	}];
	switch (e.type) {
		case "strong": return [{
			kind: "strong",
			children: $(e.tokens, t, n + 1)
		}];
		case "em": return [{
			kind: "emphasis",
			children: $(e.tokens, t, n + 1)
		}];
		case "del": return $(e.tokens, t, n + 1);
		case "codespan": return [{
			kind: "code",
			text: e.text
		}];
		case "br": return [{ kind: "break" }];
		case "image": return [{
			kind: "text",
			text: lr(e.text)
		}];
		case "link": return vr(e, t, n);
		case "text": return e.tokens ? $(e.tokens, t, n + 1) : br(lr(e.text));
		case "escape": return [{
			kind: "text",
			text: e.text
		}];
		case "checkbox": return [];
		default: return [{
			kind: "text",
			text: e.raw
		}];
	}
}
function vr(e, t, n) {
	let r = yr($(e.tokens, t, n + 1)), i = _t(e.href, t);
	if (i) return [{
		kind: "link",
		...i,
		children: r
	}];
	let a = vt(e.href);
	return !a || er(r).includes(a) ? r : [...r, {
		kind: "text",
		text: ` (${a})`
	}];
}
function yr(e) {
	return e.flatMap((e) => {
		switch (e.kind) {
			case "link": return yr(e.children);
			case "cite": return [{
				kind: "text",
				text: `[${e.n}]`
			}];
			case "emphasis":
			case "strong": return [{
				...e,
				children: yr(e.children)
			}];
			default: return [e];
		}
	});
}
function br(e) {
	let t = [], n = 0;
	for (let r of e.matchAll(or)) r.index > n && t.push({
		kind: "text",
		text: e.slice(n, r.index)
	}), t.push({
		kind: "cite",
		n: Number(r[1])
	}), n = r.index + r[0].length;
	return n < e.length && t.push({
		kind: "text",
		text: e.slice(n)
	}), t;
}
var xr = /(?:!?\[[^\]\n]{0,300}(?:\](?:\([^()\n]{0,2000})?)?|<?https?:\/\/\S{0,2000})$/i;
function Sr(e) {
	let t = xr.exec(e);
	return t ? /^\[\d{1,2}\]$/.test(t[0]) ? e : e.slice(0, t.index) : e;
}
// src/render/index.ts
var Cr = [
	"div",
	"p",
	"strong",
	"em",
	"code",
	"pre",
	"blockquote",
	"ul",
	"ol",
	"li",
	"a",
	"bdi",
	"span",
	"br",
	"button"
], wr = [
	"class",
	"dir",
	"href",
	"target",
	"rel",
	"start",
	"tabindex",
	"type",
	"title",
	"aria-label"
];
function Tr(e, t) {
	let n = t.citations ?? [], r = t.anyQuery ? "any" : n.flatMap((e) => e.url ? [e.url] : []), i = t.streaming ? Sr(e) : e;
	return Dr(k(t.format === "plain" ? fr(i) : dr(i, {
		hosts: t.linkHosts,
		queries: r
	}), {
		citations: new Map(n.map((e) => [e.n, e.title])),
		...t.onCite ? { onCite: t.onCite } : {}
	}));
}
function Er(e, t, n) {
	let r = document.createElement("bdi");
	r.textContent = ur(e);
	let i = t ? _t(t, {
		hosts: n,
		queries: "any"
	}) : null;
	return i ? ft(i.href, i.host, r) : r;
}
function Dr(e) {
	return lt.sanitize(e, {
		IN_PLACE: !0,
		ALLOWED_TAGS: Cr,
		ALLOWED_ATTR: wr,
		ALLOW_DATA_ATTR: !1,
		ALLOW_ARIA_ATTR: !1,
		ALLOWED_URI_REGEXP: /^https:\/\//,
		ADD_URI_SAFE_ATTR: wr.filter((e) => e !== "href")
	}), e;
}
export { Tr as renderMessage, Er as renderSource };
