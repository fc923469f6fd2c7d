export function PlaybookRunPage() { return null; }
