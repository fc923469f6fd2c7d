// What the browser of the tests lacks.
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(() => cleanup());

class Watcher {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}
globalThis.ResizeObserver ??= Watcher as unknown as typeof ResizeObserver;
if (typeof window !== "undefined" && !window.matchMedia) {
  window.matchMedia = ((query: string) => ({
    matches: false,
    media: query,
    addEventListener: () => {},
    removeEventListener: () => {},
    addListener: () => {},
    removeListener: () => {},
    dispatchEvent: () => false,
    onchange: null,
  })) as unknown as typeof window.matchMedia;
}
// Nothing is laid out here; what is virtualised would have no room for a single row.
const ROOM = { offsetHeight: 600, offsetWidth: 1000, clientHeight: 600, clientWidth: 1000 };
if (typeof HTMLElement !== "undefined") {
  for (const [name, value] of Object.entries(ROOM)) {
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, value });
  }
  // Mantine's growing text fields listen for fonts.
  if (!document.fonts) {
    Object.defineProperty(document, "fonts", { value: { addEventListener() {}, removeEventListener() {} } });
  }
}
