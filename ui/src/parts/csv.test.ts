import { expect, test } from "vitest";
import { csv, csvCell } from "./csv";

test("what would break a line is quoted", () => {
  expect(csvCell('a "b", c')).toBe('"a ""b"", c"');
  expect(csvCell("two\nlines")).toBe('"two\nlines"');
  expect(csvCell(null)).toBe("");
  expect(csvCell(0)).toBe("0");
});

test("a text that a spreadsheet would run as a formula stays a text, a negative number a number", () => {
  expect(csvCell("=HYPERLINK(1)")).toBe("'=HYPERLINK(1)");
  expect(csvCell("@cmd")).toBe("'@cmd");
  expect(csvCell(-5)).toBe("-5");
  expect(csvCell("-5.25")).toBe("-5.25");
});

test("a file has its header first and ends its last line", () => {
  expect(csv(["a", "b"], [[1, "x"]])).toBe("a,b\r\n1,x\r\n");
});
