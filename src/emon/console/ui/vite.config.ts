import { defineConfig } from "vite";

// Built files are named by content and served under /static, so a strict CSP ('self') is enough.
export default defineConfig({
  base: "/static/",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2023",
    modulePreload: { polyfill: false }, // the polyfill would be an inline script
    assetsInlineLimit: 0, // no data: addresses
    chunkSizeWarningLimit: 1200, // MapLibre, loaded only where a map is shown
  },
  worker: { format: "es" },
  server: { port: 5199, proxy: { "/v1": "http://127.0.0.1:8800" } },
});
