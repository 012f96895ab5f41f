// The page is served by outbandd itself, under a Content-Security-Policy without 'unsafe-inline':
// nothing may be inlined, neither script, style nor image.
import { defineConfig } from "vite";

// Hexadecimal, so that the server knows by the name that a file never changes (gateway/rest/page).
const output = {
  hashCharacters: "hex",
  entryFileNames: "assets/[name]-[hash:16].js",
  chunkFileNames: "assets/[name]-[hash:16].js",
  assetFileNames: "assets/[name]-[hash:16][extname]",
};

export default defineConfig({
  base: "./",
  build: {
    outDir: process.env.OUTBAND_PAGE_OUT || "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // MQTT.js is most of the page; split, it stays cached when only our part changes.
    chunkSizeWarningLimit: 512,
    rollupOptions: { output: { ...output, manualChunks: { mqtt: ["mqtt"] } } },
  },
  worker: { format: "es", rollupOptions: { output } },
  test: {
    include: ["test/**/*.test.ts"],
    environment: "node",
  },
});
