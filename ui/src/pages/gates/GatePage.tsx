export function GatePage() { return null; }
