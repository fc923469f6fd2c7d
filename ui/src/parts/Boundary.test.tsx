import { screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { ApiFailure } from "../api/failure";
import { show } from "../test/show";
import { Panel } from "./Page";
import { Failed } from "./States";

afterEach(() => vi.restoreAllMocks());

function Broken(): never {
  throw new Error("the panel's data has no rows");
}

test("one broken panel does not take the page with it, and is logged", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  await show(
    <>
      <Panel title="Broken">
        <Broken />
      </Panel>
      <Panel title="Whole">still here</Panel>
    </>,
  );
  expect(screen.getByText("still here")).toBeTruthy();
  expect(screen.getByRole("alert").textContent).toBe("the panel's data has no rows");
  expect(logged.mock.calls.some(([first]) => String(first).includes('panel "Broken" broke'))).toBe(true);
});

test("a route that a server does not have is told as that, without an alarm", async () => {
  await show(<Failed error={new ApiFailure(404, [{ code: "not_found", detail: "there is no such route" }], "r1")} />);
  expect(screen.getByText("Not available on this server")).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("what is forbidden says which role is missing, and offers no second try", async () => {
  await show(
    <Failed
      error={new ApiFailure(403, [{ code: "forbidden", detail: "this needs the role approver" }], null)}
      retry={() => {}}
    />,
  );
  expect(screen.getByText("this needs the role approver")).toBeTruthy();
  expect(screen.queryByRole("button")).toBeNull();
});
