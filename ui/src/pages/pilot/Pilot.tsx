export function Pilot() { return null; }
