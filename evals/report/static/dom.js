"use strict";
// Everything from a ticket goes into the page as text: `make` writes text nodes and known attributes, never HTML.
const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "onclick") element.addEventListener("click", value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
};
const draw = (tag, attributes, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
};
const byId = (name) => document.getElementById(name);
const data = JSON.parse(byId("data").textContent);
const words = data.words;
const percent = (value) => (value === null || value === undefined ? "–" : (100 * value).toFixed(1) + "\u00a0%");
const titled = (article) => words.titles[article] || article;
const reason = (name) => words.reasons[name] || String(name).replaceAll("_", " ");
const categoryName = (name) => words.categories[name || "unlabelled"] || name || "–";
document.documentElement.classList.add("js");
