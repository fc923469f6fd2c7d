export function Dashboards() { return null; }
