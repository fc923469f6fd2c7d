// A part of a page that scrolls by itself. It has a name and takes the focus, so that the keyboard scrolls it too.
import type { ReactNode, Ref } from "react";

export function Scroll({
  label,
  height,
  grows = false,
  live = false,
  inner,
  children,
}: {
  label: string;
  height: number;
  /** As high as what it holds, and no higher than `height`. */
  grows?: boolean;
  live?: boolean;
  inner?: Ref<HTMLDivElement>;
  children: ReactNode;
}) {
  return (
    <div
      ref={inner}
      role={live ? "log" : "group"}
      aria-label={label}
      tabIndex={0}
      style={{ overflow: "auto", ...(grows ? { maxHeight: height } : { height }) }}
    >
      {children}
    </div>
  );
}
