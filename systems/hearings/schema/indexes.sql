-- Step 3: indexes. Where the earlier system had the same one, it has the same name here.

-- What the daily update asks for: the parts of a hearing, a witness by name, the newest update.
CREATE INDEX IF NOT EXISTS idx_hearings_update_date ON hearings(update_date);
CREATE INDEX IF NOT EXISTS idx_appearances_hearing ON witness_appearances(hearing_id);
CREATE INDEX IF NOT EXISTS idx_witness_docs_appearance ON witness_documents(appearance_id);
CREATE INDEX IF NOT EXISTS idx_transcripts_hearing ON hearing_transcripts(hearing_id);
CREATE INDEX IF NOT EXISTS idx_supporting_docs_hearing ON supporting_documents(hearing_id);
CREATE INDEX IF NOT EXISTS idx_witnesses_full_name ON witnesses(full_name);

-- The other ends of links, for readers and for the foreign keys when a parent goes.
CREATE INDEX IF NOT EXISTS idx_hearing_committees_committee ON hearing_committees(committee_id);
CREATE INDEX IF NOT EXISTS idx_hearing_bills_bill ON hearing_bills(bill_id);
CREATE INDEX IF NOT EXISTS idx_committees_parent ON committees(parent_committee_id);
CREATE INDEX IF NOT EXISTS idx_memberships_member ON committee_memberships(member_id);
CREATE INDEX IF NOT EXISTS idx_jurisdictions_policy ON committee_jurisdictions(policy_area_id);
CREATE INDEX IF NOT EXISTS idx_hearings_date ON hearings(hearing_date);

-- An address is one document of its witness.
CREATE UNIQUE INDEX IF NOT EXISTS idx_witness_docs_once ON witness_documents(appearance_id, document_url);
