// The mark of the product: a load line.
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="16" cy="16" r="9.5" fill="none" stroke="var(--mantine-color-sea-6)" strokeWidth="3" />
      <path d="M1.5 16h29" stroke="var(--mantine-color-sea-6)" strokeWidth="3" />
    </svg>
  );
}
