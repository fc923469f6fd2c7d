// The look: a calm sea blue, small type, tight rows. Owns colours and the defaults of Mantine's components.
// Invariant: every text colour keeps a contrast of 4.5 to 1 on the surfaces that it stands on (axe-core checks it).
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const sea: MantineColorsTuple = [
  "#eaf4f8",
  "#d6e7ee",
  "#abcedd",
  "#7db4cc",
  "#59a0bd",
  "#4293b4",
  "#3386a6",
  "#267793",
  "#1d6782",
  "#0f5067",
];

const dark: MantineColorsTuple = [
  "#d7dde4",
  "#b9c2cc",
  "#98a4b1",
  "#5c6875",
  "#38424d",
  "#29323b",
  "#1c232b",
  "#13191f",
  "#0e1318",
  "#090d11",
];

export const theme = createTheme({
  colors: { sea, dark },
  primaryColor: "sea",
  primaryShade: { light: 8, dark: 8 },
  fontFamily: "'Inter Variable', Inter, system-ui, -apple-system, 'Segoe UI', 'Noto Sans CJK TC', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.25rem", lineHeight: "1.3" },
      h2: { fontSize: "0.9375rem", lineHeight: "1.4" },
      h3: { fontSize: "0.8125rem", lineHeight: "1.4" },
    },
  },
  defaultRadius: 6,
  cursorType: "pointer",
  components: {
    Button: { defaultProps: { size: "xs" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray", size: "md" } },
    TextInput: { defaultProps: { size: "xs" } },
    Textarea: { defaultProps: { size: "xs" } },
    NumberInput: { defaultProps: { size: "xs" } },
    PasswordInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "xs", comboboxProps: { transitionProps: { duration: 0 } } } },
    MultiSelect: { defaultProps: { size: "xs" } },
    TagsInput: { defaultProps: { size: "xs" } },
    SegmentedControl: { defaultProps: { size: "xs" } },
    Checkbox: { defaultProps: { size: "xs" } },
    Switch: { defaultProps: { size: "sm" } },
    CloseButton: { defaultProps: { "aria-label": "Close this" } },
    Drawer: { defaultProps: { closeButtonProps: { "aria-label": "Close this" } } },
    Modal: {
      defaultProps: {
        closeButtonProps: { "aria-label": "Close this" },
        centered: false,
        yOffset: "8vh",
        transitionProps: { duration: 80 },
      },
    },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250, multiline: true, maw: 360 } },
    Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: "sm", fz: "sm" } },
    Text: { defaultProps: { size: "sm" } },
    Anchor: { defaultProps: { fz: "inherit" } },
  },
});

/** Mantine's dimmed grey is too pale for small text; these are not. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#56616d",
    "--mantine-color-placeholder": "#667280",
    "--mantine-color-body": "#ffffff",
    "--pl-canvas": "#f5f7f9",
    "--pl-line": "#e2e7ec",
    "--pl-hover": "#eef3f6",
    "--pl-chosen": "#e2eff4",
    "--pl-chosen-text": "#0f5067",
    "--pl-good": "#1a7f4b",
    "--pl-warn": "#9a6200",
    "--pl-bad": "#c02b2b",
    "--pl-busy": "#1d6782",
    "--pl-added": "#e3f5ea",
    "--pl-removed": "#fdeaea",
  },
  dark: {
    "--mantine-color-dimmed": "#98a4b1",
    "--mantine-color-placeholder": "#8794a1",
    "--mantine-color-anchor": "#7db4cc",
    "--pl-canvas": "#0e1318",
    "--pl-line": "#29323b",
    "--pl-hover": "#1a2129",
    "--pl-chosen": "#17303c",
    "--pl-chosen-text": "#abcedd",
    "--pl-good": "#4cc38a",
    "--pl-warn": "#e2a336",
    "--pl-bad": "#ff7b72",
    "--pl-busy": "#7db4cc",
    "--pl-added": "#12301f",
    "--pl-removed": "#3a1719",
  },
});
