import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { ApiFailure } from "../api/failure";
import type { Undoable } from "../api/types";
import { show } from "../test/show";
import { Act } from "./Act";

function given(name: string): HTMLElement {
  return screen.getByRole("textbox", { name: new RegExp(name) });
}

test("nothing is sent without a reason, a preview is a dry run, and only the deed is real", async () => {
  const send = vi.fn(
    (_reason: string, dry: boolean): Promise<Undoable> => Promise.resolve({ dry_run: dry, undo: "plimsoll undo 1" }),
  );
  const done = vi.fn();
  await show(
    <Act<Undoable>
      opened
      onClose={() => {}}
      title="Undo"
      confirm="Do it"
      send={send}
      preview={() => "3 rows go back"}
      onDone={done}
    />,
  );
  const deed = screen.getByRole("button", { name: "Do it" }) as HTMLButtonElement;
  expect(deed.disabled).toBe(true);
  fireEvent.change(given("Reason"), { target: { value: "  wrong totals " } });
  fireEvent.click(screen.getByRole("button", { name: "Preview" }));
  await screen.findByText("3 rows go back");
  expect(send.mock.calls).toEqual([["wrong totals", true]]);
  expect(done).not.toHaveBeenCalled();
  fireEvent.click(deed);
  await waitFor(() => expect(done).toHaveBeenCalled());
  expect(send.mock.calls[1]).toEqual(["wrong totals", false]);
});

test("a refusal is shown with its hint and nothing is closed", async () => {
  const closed = vi.fn();
  const send = () =>
    Promise.reject(new ApiFailure(409, [{ code: "refused", detail: "somebody is out with it", hint: "wait" }], null));
  await show(<Act<Undoable> opened onClose={closed} title="Retire" confirm="Retire" leastReason={10} send={send} />);
  fireEvent.change(given("Reason"), { target: { value: "too short" } });
  expect((screen.getByRole("button", { name: "Retire" }) as HTMLButtonElement).disabled).toBe(true);
  fireEvent.change(given("Reason"), { target: { value: "long enough now" } });
  fireEvent.click(screen.getByRole("button", { name: "Retire" }));
  expect((await screen.findByRole("alert")).textContent).toContain("somebody is out with it");
  expect(screen.getByText("wait")).toBeTruthy();
  expect(closed).not.toHaveBeenCalled();
});
