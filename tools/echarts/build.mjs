// Builds src/onevoice/history/page/echarts.min.js: `npm ci && npm run build` in this folder.
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const text = (path) => readFileSync(new URL(path, import.meta.url), "utf8").trim();
const version = (name) => JSON.parse(text(`node_modules/${name}/package.json`)).version;

const notice = `/*!
Apache ECharts ${version("echarts")}, only the parts that tools/echarts/entry.js names, minified. Changed in no other way.
Licensed under the Apache License, Version 2.0: http://www.apache.org/licenses/LICENSE-2.0

${text("node_modules/echarts/NOTICE")}

It contains ZRender ${version("zrender")}:

${text("node_modules/zrender/LICENSE")}
*/`;

await build({
  entryPoints: ["entry.js"],
  outfile: "../../src/onevoice/history/page/echarts.min.js",
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "echarts",
  target: "es2020",
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "none",
  banner: { js: notice },
});
