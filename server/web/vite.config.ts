import { defineConfig, type UserConfig } from "vite";

const SERVED = "../static";
const TESTS = "../../tests/browser/assets";

/** One mode per built file: each is self-contained, none has a content hash, so the names never change. */
const TARGETS: Record<string, { entry: string; file: string; outDir: string; format: "iife" | "es" }> = {
  widget: { entry: "src/widget/main.ts", file: "widget.js", outDir: SERVED, format: "iife" },
  inbox: { entry: "src/inbox/main.ts", file: "inbox.js", outDir: SERVED, format: "iife" },
  renderer: { entry: "src/render/index.ts", file: "renderer.js", outDir: TESTS, format: "es" },
};

export default defineConfig(({ mode }): UserConfig => {
  const target = TARGETS[mode];
  if (!target) throw new Error(`no such build: ${mode}`);
  return {
    // Only the inbox has files to copy: its pages and its style sheet.
    publicDir: mode === "inbox" ? "pages" : false,
    define: { "process.env.NODE_ENV": JSON.stringify("production") },
    build: {
      outDir: target.outDir,
      emptyOutDir: false,
      target: "es2022",
      minify: true,
      sourcemap: false,
      reportCompressedSize: false,
      lib: {
        entry: target.entry,
        formats: [target.format],
        name: "Helpgraph",
        fileName: () => target.file,
      },
    },
  };
});
