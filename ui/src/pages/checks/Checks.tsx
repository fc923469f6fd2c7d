export function Checks() { return null; }
