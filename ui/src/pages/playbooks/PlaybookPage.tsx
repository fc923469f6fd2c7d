export function PlaybookPage() { return null; }
