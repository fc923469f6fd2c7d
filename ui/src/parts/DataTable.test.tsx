import { fireEvent, screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { show } from "../test/show";
import { type Column, DataTable, nextOrder } from "./DataTable";

interface Line {
  id: number;
  name: string;
}

const COLUMNS: Column<Line>[] = [
  { id: "id", header: "Number", value: (line) => line.id, align: "right" },
  { id: "name", header: "Name", value: (line) => line.name },
];

function lines(many: number): Line[] {
  return Array.from({ length: many }, (_, id) => ({ id, name: `<img src=x onerror=alert(${id})>` }));
}

test("of 20,000 rows only those in view are in the document", async () => {
  await show(
    <DataTable label="Lines" rows={lines(20_000)} columns={COLUMNS} rowKey={(line) => String(line.id)} height={340} />,
  );
  const table = screen.getByRole("table", { name: "Lines" });
  expect(table.getAttribute("aria-rowcount")).toBe("20001");
  const shown = within(table).getAllByRole("row").length;
  expect(shown).toBeGreaterThan(10);
  expect(shown).toBeLessThan(60);
});

test("a text of the data never becomes HTML", async () => {
  await show(<DataTable label="Lines" rows={lines(3)} columns={COLUMNS} rowKey={(line) => String(line.id)} />);
  expect(document.querySelector("img")).toBeNull();
  expect(screen.getByText("<img src=x onerror=alert(1)>")).toBeTruthy();
});

test("headers sort, and say how", async () => {
  await show(
    <DataTable
      label="Lines"
      rows={lines(3)}
      columns={COLUMNS}
      rowKey={(line) => String(line.id)}
      initialSort={[{ id: "id", desc: true }]}
    />,
  );
  const header = () => screen.getByRole("columnheader", { name: "Number" });
  const firstRow = () => screen.getAllByRole("row")[1]?.textContent;
  expect(header().getAttribute("aria-sort")).toBe("descending");
  expect(firstRow()).toContain("2");
  fireEvent.click(within(header()).getByRole("button"));
  fireEvent.click(within(header()).getByRole("button"));
  expect(header().getAttribute("aria-sort")).not.toBe("descending");
});

test("arrow keys walk the rows and Enter opens one", async () => {
  const opened = vi.fn();
  await show(
    <DataTable label="Lines" rows={lines(5)} columns={COLUMNS} rowKey={(line) => String(line.id)} onOpen={opened} />,
  );
  const table = screen.getByRole("table");
  fireEvent.keyDown(table, { key: "ArrowDown" });
  fireEvent.keyDown(table, { key: "ArrowDown" });
  fireEvent.keyDown(table, { key: "Enter" });
  expect(opened).toHaveBeenCalledWith({ id: 1, name: "<img src=x onerror=alert(1)>" });
});

test("an order that is the server's goes up, down, away", () => {
  expect([
    nextOrder(undefined, "model"),
    nextOrder("model", "model"),
    nextOrder("-model", "model"),
    nextOrder("-key", "model"),
  ]).toEqual(["model", "-model", undefined, "model"]);
});
