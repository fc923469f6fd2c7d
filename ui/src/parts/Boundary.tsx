// Keeps a broken panel from taking the page with it (PFA-24): the rest works, the error is shown and logged.
import { Button, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Component, type ErrorInfo, type ReactNode } from "react";
import { Note } from "./States";

interface Props {
  name: string;
  children: ReactNode;
}

export class Boundary extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error(`panel "${this.props.name}" broke`, error, info.componentStack);
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Note icon={<IconAlertTriangle size={26} stroke={1.4} />} title={`${this.props.name} cannot be shown`}>
        <Text c="dimmed" role="alert" maw={520}>
          {error.message}
        </Text>
        <Button variant="default" onClick={() => this.setState({ error: null })}>
          Show it again
        </Button>
      </Note>
    );
  }
}
