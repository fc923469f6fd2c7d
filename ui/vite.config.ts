import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server replaces this mark by the nonce of its answer; see crates/server/src/app.rs.
const NONCE_MARK = "PLIMSOLL_CSP_NONCE";

const server = process.env.PLIMSOLL_URL ?? "http://127.0.0.1:8620";
const proxied = { target: server, changeOrigin: true, headers: { origin: server } };

export default defineConfig({
  plugins: [react()],
  html: { cspNonce: NONCE_MARK },
  server: { proxy: { "/api": proxied, "/ofrep": proxied, "/metrics": proxied, "/healthz": proxied } },
  build: {
    target: "es2023",
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  test: {
    environment: "happy-dom",
    // A browser that is imitated on a busy machine takes its time.
    testTimeout: 30_000,
    setupFiles: ["src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
  },
});
