import { defineConfig } from "vitest/config";

// Where `npm run dev` finds a running `antiphon serve`: its default address.
const SERVER_URL = "http://127.0.0.1:8080";

export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    // Everything is a file of its own: the page is served under a CSP without `data:` or inline code.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The call, and the report on providers.
    rollupOptions: { input: ["index.html", "routes.html"] },
  },
  server: { proxy: { "/v1": SERVER_URL } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
