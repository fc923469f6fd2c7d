// A certificate of a rollback, made to be printed: what moved, and the digests beside those of the oracle.
import { Button, Group, Table, Text } from "@mantine/core";
import { IconDownload, IconPrinter } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { download } from "../../parts/csv";
import { count, number } from "../../parts/format";
import { Facts, Page, Panel } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { type Certificate, type Certified, PILOT, type SignedCertificate } from "./types";

/** Whether every table is what the oracle says and nothing was forced. */
export function isWhole(one: Certificate): boolean {
  return (
    one.tables.length > 0 &&
    one.forced.length === 0 &&
    one.tables.every((moved) => moved.after.digest === moved.oracle.digest)
  );
}

export function CertificatePage() {
  const { certificate: id = "" } = useParams({ strict: false }) as { certificate?: string };
  const query = useApi<Certified>(
    get("/systems/{system}/pilot/members/{customer}/certificate", { ...PILOT, customer: id }),
    { every: false },
  );
  return (
    <Page
      title={`Certificate of rollback ${id}`}
      crumbs={[{ title: "Pilot", to: "/pilot" }]}
      actions={
        <>
          <Button
            variant="default"
            leftSection={<IconDownload size={14} />}
            disabled={!query.data}
            onClick={() =>
              download(`certificate-${id}.json`, JSON.stringify(query.data?.signed, null, 2), "application/json")
            }
          >
            As it was signed
          </Button>
          <Button leftSection={<IconPrinter size={14} />} onClick={() => window.print()}>
            Print
          </Button>
        </>
      }
    >
      <Answer query={query}>{(data) => <Body signed={data.signed} />}</Answer>
    </Page>
  );
}

function Body({ signed }: { signed: SignedCertificate }) {
  const one = signed.certificate;
  const scope =
    "customer" in one.scope
      ? one.scope.customer
      : `${one.scope.cohort.name}: ${count(one.scope.cohort.customers.length, "customer")}`;
  const whole = isWhole(one);
  return (
    <div className="grid">
      <Panel title="What it says" className="w5">
        <Facts
          facts={[
            [
              "Verdict",
              <Status
                key="verdict"
                word={whole ? "verified" : "failed"}
                label={whole ? "whole: every row is what it must be" : "not whole"}
              />,
            ],
            ["Who was rolled back", scope],
            ["By", one.by.actor],
            ["Reason", one.by.reason],
            ["Began", <Time key="began" at={one.began_at} />],
            ["Ended", <Time key="ended" at={one.ended_at} />],
            ["Epoch", number(one.epoch)],
            ["Legacy position", number(one.legacy_position)],
            ["New position", number(one.new_position)],
            ["Forced steps", one.forced.length === 0 ? "none" : JSON.stringify(one.forced)],
            [
              "Form",
              <span key="form" className="mono">
                {one.form}
              </span>,
            ],
            [
              "Key",
              <span key="key" className="mono">
                {signed.key_id}
              </span>,
            ],
            [
              "Signature",
              <span key="signature" className="mono">
                {signed.signature}
              </span>,
            ],
          ]}
        />
      </Panel>
      <Panel title="Tables" className="w7" flush>
        <Table.ScrollContainer minWidth={560}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Table</Table.Th>
                <Table.Th ta="right">Inserted</Table.Th>
                <Table.Th ta="right">Updated</Table.Th>
                <Table.Th ta="right">Deleted</Table.Th>
                <Table.Th>Digest and oracle</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {one.tables.map((moved) => {
                const equal = moved.after.digest === moved.oracle.digest;
                return (
                  <Table.Tr key={moved.after.table}>
                    <Table.Td>{moved.after.table}</Table.Td>
                    <Table.Td ta="right">{number(moved.inserted)}</Table.Td>
                    <Table.Td ta="right">{number(moved.updated)}</Table.Td>
                    <Table.Td ta="right">{number(moved.deleted)}</Table.Td>
                    <Table.Td>
                      <Group gap={6}>
                        <Status word={equal ? "equal" : "fail"} />
                      </Group>
                      <Text size="xs" className="mono" style={{ overflowWrap: "anywhere" }}>
                        {moved.after.digest}
                      </Text>
                      {equal ? null : (
                        <Text size="xs" className="mono" style={{ overflowWrap: "anywhere" }}>
                          oracle {moved.oracle.digest}
                        </Text>
                      )}
                    </Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Panel>
    </div>
  );
}
