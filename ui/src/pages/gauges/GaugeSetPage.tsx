export function GaugeSetPage() { return null; }
