// Writes the licences of everything that the built files contain next to them.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const BUNDLED = ["@lit/reactive-element", "dompurify", "driver.js", "lit", "lit-element", "lit-html", "marked"];

const parts = BUNDLED.map((name) => {
  const folder = new URL(`node_modules/${name}/`, import.meta.url);
  const { version, license } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(new URL(file, folder), "utf8").trim() : "";
  return `${name} ${version} (${license})\n\n${text}\n`;
});

writeFileSync(new URL("../static/LICENSES.txt", import.meta.url), parts.join(`\n${"-".repeat(79)}\n\n`));
