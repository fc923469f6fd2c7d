import { fireEvent, screen } from "@testing-library/react";
import { useState } from "react";
import { expect, test } from "vitest";
import { show } from "../../test/show";
import { type AskedSettings, Settings, said } from "./Settings";

let now: AskedSettings = {};

function Asking() {
  const [asked, setAsked] = useState<AskedSettings>({});
  now = asked;
  return <Settings asked={asked} onChange={setAsked} names={["batch_size", "max_error_share"]} />;
}

test("a field that is empty is not sent, a percentage is a share, and other fields are not offered", async () => {
  await show(<Asking />);
  fireEvent.click(screen.getByRole("button", { name: /as configured/ }));
  const batch = screen.getByLabelText("Items in one batch");
  fireEvent.change(batch, { target: { value: "20" } });
  fireEvent.change(screen.getByLabelText("Stop at a larger share than"), { target: { value: "5" } });
  expect(now).toEqual({ batch_size: 20, max_error_share: 0.05 });
  expect(screen.getByRole("button", { name: /20 items a batch, stops at 5 % errors/ })).toBeTruthy();
  fireEvent.change(batch, { target: { value: "" } });
  expect(now).toEqual({ max_error_share: 0.05 });
  expect(screen.queryByLabelText("Wait between batches")).toBeNull();
});

test("what was asked is said in words", () => {
  expect(said({})).toBe("");
  expect(said({ throttle_ms: 200, max_errors: 3 })).toBe("200 ms between batches, stops after 3 errors");
});
