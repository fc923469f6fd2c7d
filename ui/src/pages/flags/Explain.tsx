// Why did this key get it, now or at a past time: answered by the log of changes, step by step.
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { IconCheck, IconMinus } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { api } from "../../api/client";
import type { Explanation, Flag } from "../../api/flags";
import { post } from "../../api/request";
import { Problem } from "../../parts/Act";
import { Panel } from "../../parts/Page";
import { Status } from "../../parts/Status";
import { useFilters } from "../../parts/useFilters";

export function Explain({ flag }: { flag: Flag }) {
  const [search, setSearch] = useFilters();
  const field = flag.flag.key ?? "userId";
  const [key, setKey] = useState(search.why ?? "");
  const [at, setAt] = useState(search.at ?? "");
  const [found, setFound] = useState<Explanation | null>(null);
  const [error, setError] = useState<unknown>(null);
  const asked = search.why;
  const when = search.at;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another version of the flag, another answer
  useEffect(() => {
    if (!asked) return;
    let gone = false;
    const moment = when ? new Date(when).toISOString() : undefined;
    api
      .send<Explanation>(
        post(
          "/flags/{flag}/explain",
          { flag: flag.flag.name },
          { context: { [field]: asked }, ...(moment ? { at: moment } : {}) },
        ),
      )
      .then((answer) => {
        if (gone) return;
        setFound(answer);
        setError(null);
      })
      .catch((problem) => {
        if (gone) return;
        setFound(null);
        setError(problem);
      });
    return () => {
      gone = true;
    };
  }, [asked, when, field, flag.flag.name, flag.version]);
  return (
    <Panel title="Why did this key get it?">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setSearch({ why: key.trim() || undefined, at: at || undefined });
        }}
      >
        <Group gap={8} align="flex-end">
          <TextInput label={field} value={key} onChange={(event) => setKey(event.currentTarget.value)} w={160} />
          <TextInput
            label="At"
            type="datetime-local"
            value={at}
            onChange={(event) => setAt(event.currentTarget.value)}
            w={200}
          />
          <Button type="submit" disabled={!key.trim()}>
            Ask
          </Button>
        </Group>
      </form>
      {error ? (
        <div style={{ marginTop: 10 }}>
          <Problem error={error} />
        </div>
      ) : null}
      {found ? (
        <Stack gap={6} mt="sm" role="status">
          <Group gap={10}>
            <Status
              word={found.evaluation.on ? "on" : "off"}
              label={found.evaluation.on ? "gets it" : "does not get it"}
            />
            {found.evaluation.variant ? <Text>variant {found.evaluation.variant}</Text> : null}
          </Group>
          <Text>{found.sentence}</Text>
          <ol style={{ margin: 0, paddingLeft: 4, listStyle: "none" }}>
            {found.steps.map((step) => (
              <li key={step.what} style={{ display: "flex", gap: 6, alignItems: "center", fontSize: 13 }}>
                {step.holds ? (
                  <IconCheck size={14} color="var(--pl-good)" aria-label="holds" />
                ) : (
                  <IconMinus size={14} aria-label="does not hold" />
                )}
                {step.what}
              </li>
            ))}
          </ol>
        </Stack>
      ) : null}
    </Panel>
  );
}
