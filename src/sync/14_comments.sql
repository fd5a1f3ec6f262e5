-- What the tables and columns of syncs are.

COMMENT ON TABLE xero_fdw.sync IS
	'internal: the syncs';
COMMENT ON COLUMN xero_fdw.sync.sync_id IS 'number of the sync';
COMMENT ON COLUMN xero_fdw.sync.name IS 'name that the user gave it';
COMMENT ON COLUMN xero_fdw.sync.confirmed_by IS
	'role that has defined it or taken it over; unless that is the owner of local_table, it is paused';
COMMENT ON COLUMN xero_fdw.sync.xero_table IS 'foreign table of xero_fdw';
COMMENT ON COLUMN xero_fdw.sync.local_table IS
	'table, partitioned table or foreign table of another wrapper';
COMMENT ON COLUMN xero_fdw.sync.direction IS 'pull, push or both';
COMMENT ON COLUMN xero_fdw.sync.fields IS
	'the fields as they were given; sync_field is made of them';
COMMENT ON COLUMN xero_fdw.sync.match_on IS
	'local columns by which records and rows find each other; null: none';
COMMENT ON COLUMN xero_fdw.sync.xero_filter IS
	'condition on the foreign table; null: all records';
COMMENT ON COLUMN xero_fdw.sync.local_filter IS
	'condition on the local table; null: all rows';
COMMENT ON COLUMN xero_fdw.sync.conflict IS
	'who wins where both sides changed a field: newest, xero, local or manual';
COMMENT ON COLUMN xero_fdw.sync.initial IS
	'what the first run does with what is there: new_only, merge, xero_to_local or local_to_xero';
COMMENT ON COLUMN xero_fdw.sync.on_delete IS
	'what becomes of the other side: ignore or archive';
COMMENT ON COLUMN xero_fdw.sync.brake IS
	'share of the records beyond which a run does not end them or give them to other rows; 1: none';
COMMENT ON COLUMN xero_fdw.sync.xero_key IS
	'column of the foreign table that identifies a record within an organisation';
COMMENT ON COLUMN xero_fdw.sync.local_key IS
	'columns that identify a local row';
COMMENT ON COLUMN xero_fdw.sync.watch IS
	'how local changes are found: trigger or compare';
COMMENT ON COLUMN xero_fdw.sync.columns IS
	'the columns that are used, with their types, and the values of enums, when the sync was last checked';
COMMENT ON COLUMN xero_fdw.sync.mirror IS
	'whether the local table is a copy, its rows found by the key alone';
COMMENT ON COLUMN xero_fdw.sync.parent_id IS
	'sync of the records whose lines these are; null for all but line tables of a mirror';
COMMENT ON COLUMN xero_fdw.sync.search_path IS
	'what unqualified names in expressions and filters mean';
COMMENT ON COLUMN xero_fdw.sync.parts IS
	'digest of the partitions of the local table and their files when all rows were last compared; null: it has none';
COMMENT ON COLUMN xero_fdw.sync.created_at IS 'when it was created';
COMMENT ON COLUMN xero_fdw.sync.altered_at IS
	'when alter_sync() last changed it';

COMMENT ON TABLE xero_fdw.sync_field IS
	'internal: the fields of a sync, checked, with the columns they use';
COMMENT ON COLUMN xero_fdw.sync_field.sync_id IS 'number of the sync';
COMMENT ON COLUMN xero_fdw.sync_field.field IS 'name of the field';
COMMENT ON COLUMN xero_fdw.sync_field.local_column IS
	'local column; null for a value that only Xero gets';
COMMENT ON COLUMN xero_fdw.sync_field.xero_column IS
	'column of the foreign table; null for a value that is computed for the local side';
COMMENT ON COLUMN xero_fdw.sync_field.direction IS
	'both, to_local or to_xero';
COMMENT ON COLUMN xero_fdw.sync_field.to_local IS
	'expression on the foreign table; null: the column itself';
COMMENT ON COLUMN xero_fdw.sync_field.to_xero IS
	'expression on the local table; null: the column itself';
COMMENT ON COLUMN xero_fdw.sync_field.xero_uses IS
	'columns of the foreign table that it reads';
COMMENT ON COLUMN xero_fdw.sync_field.local_uses IS
	'local columns that it reads';

COMMENT ON TABLE xero_fdw.sync_position IS
	'internal: how far reading Xero has come, by organisation';
COMMENT ON COLUMN xero_fdw.sync_position.sync_id IS 'number of the sync';
COMMENT ON COLUMN xero_fdw.sync_position.tenant_id IS 'organisation';
COMMENT ON COLUMN xero_fdw.sync_position.watermark IS
	'all changes before it were read; null: nothing was';
COMMENT ON COLUMN xero_fdw.sync_position.pull_started IS
	'when the pull that is under way began, by Xero''s clock; null: none is';
COMMENT ON COLUMN xero_fdw.sync_position.pull_offset IS
	'records that it has read; of journals, the last number';
COMMENT ON COLUMN xero_fdw.sync_position.pull_records IS
	'records that it has in all';
COMMENT ON COLUMN xero_fdw.sync_position.audit_started IS
	'when the audit that is under way began; null: none is';
COMMENT ON COLUMN xero_fdw.sync_position.audit_offset IS
	'records that it has read';
COMMENT ON COLUMN xero_fdw.sync_position.merged_before IS
	'a first merge has ended some time, so the brake applies';
COMMENT ON COLUMN xero_fdw.sync_position.initial_done IS
	'whether the first merge is over';

COMMENT ON TABLE xero_fdw.sync_inbox IS
	'internal: records that were read and wait to be merged';
COMMENT ON COLUMN xero_fdw.sync_inbox.sync_id IS 'number of the sync';
COMMENT ON COLUMN xero_fdw.sync_inbox.tenant_id IS 'organisation';
COMMENT ON COLUMN xero_fdw.sync_inbox.xero_id IS 'key of the record';
COMMENT ON COLUMN xero_fdw.sync_inbox.remote IS
	'the columns of the foreign table that the sync uses; null: it is gone';
COMMENT ON COLUMN xero_fdw.sync_inbox.updated_at IS
	'when Xero last changed the record';
COMMENT ON COLUMN xero_fdw.sync_inbox.held IS
	'waits for more than the next run';

COMMENT ON TABLE xero_fdw.sync_change IS
	'internal: local rows that were changed, recorded in the writer''s own transaction';
COMMENT ON COLUMN xero_fdw.sync_change.change_id IS 'number of the change';
COMMENT ON COLUMN xero_fdw.sync_change.sync_id IS 'number of the sync';
COMMENT ON COLUMN xero_fdw.sync_change.operation IS
	'insert, update or delete of a row; truncate of the table; compare: any row may have changed';
COMMENT ON COLUMN xero_fdw.sync_change.local_key IS
	'array of the key''s values; null for truncate and compare';
COMMENT ON COLUMN xero_fdw.sync_change.old_key IS
	'the key before, if it changed';
COMMENT ON COLUMN xero_fdw.sync_change.said IS
	'if the row was deleted or got other ones: its key at Xero and its values of match_on';
COMMENT ON COLUMN xero_fdw.sync_change.columns IS
	'of an update, the columns that changed';
COMMENT ON COLUMN xero_fdw.sync_change.departed IS
	'of a delete: the row has gone into another partition';
COMMENT ON COLUMN xero_fdw.sync_change.changed_at IS 'when it was written';
COMMENT ON COLUMN xero_fdw.sync_change.xid IS 'the writer''s transaction';

COMMENT ON TABLE xero_fdw.sync_link IS
	'internal: every record and row that a sync knows, together if they belong together, with the values that both sides last agreed on';
COMMENT ON COLUMN xero_fdw.sync_link.link_id IS 'number of the link';
COMMENT ON COLUMN xero_fdw.sync_link.sync_id IS 'number of the sync';
COMMENT ON COLUMN xero_fdw.sync_link.tenant_id IS 'organisation';
COMMENT ON COLUMN xero_fdw.sync_link.xero_id IS
	'key of the record; null: none yet';
COMMENT ON COLUMN xero_fdw.sync_link.local_key IS
	'array of the local key''s values; null: none yet; an object: the key now belongs to another row';
COMMENT ON COLUMN xero_fdw.sync_link.base_xero IS
	'columns of the record as last synced; one that lacks is unknown, and so is the field of a member "?field", unless that says how its conflict was decided';
COMMENT ON COLUMN xero_fdw.sync_link.base_local IS
	'columns of the row as last synced; one that lacks is unknown, and so is the field of a member "?field"';
COMMENT ON COLUMN xero_fdw.sync_link.match_key IS
	'what the side that waits for the other is found by';
COMMENT ON COLUMN xero_fdw.sync_link.state IS
	'linked; unlinked: waits for a partner; ignored: is not to be synced; ended: gone on one side';
COMMENT ON COLUMN xero_fdw.sync_link.first IS
	'was ambiguous in the first merge, whose rules it is to be merged by';
COMMENT ON COLUMN xero_fdw.sync_link.renamed IS
	'an UPDATE of the row was recorded that changes what tells it from others, and Xero does not have that yet';
COMMENT ON COLUMN xero_fdw.sync_link.deleted IS
	'its row was deleted: a trigger has recorded it, or a person has said so';
COMMENT ON COLUMN xero_fdw.sync_link.seen_local IS
	'digest of the row as last seen, where rows are compared';
COMMENT ON COLUMN xero_fdw.sync_link.xero_updated_at IS
	'when Xero last changed the record';
COMMENT ON COLUMN xero_fdw.sync_link.local_updated_at IS
	'when the row was changed, as far as is known';
COMMENT ON COLUMN xero_fdw.sync_link.seen_at IS 'when an audit last saw it';

COMMENT ON TABLE xero_fdw.sync_intent IS
	'internal: what is to be written to Xero, committed before it is sent';
COMMENT ON COLUMN xero_fdw.sync_intent.intent_id IS 'number of the intent';
COMMENT ON COLUMN xero_fdw.sync_intent.sync_id IS 'number of the sync';
COMMENT ON COLUMN xero_fdw.sync_intent.tenant_id IS 'organisation';
COMMENT ON COLUMN xero_fdw.sync_intent.operation IS
	'insert, update or delete';
COMMENT ON COLUMN xero_fdw.sync_intent.link_id IS 'link that it is for';
COMMENT ON COLUMN xero_fdw.sync_intent."row" IS 'what is sent';
COMMENT ON COLUMN xero_fdw.sync_intent.fields IS
	'the fields that are settled by it';
COMMENT ON COLUMN xero_fdw.sync_intent.image IS
	'the local row that it was made from';
COMMENT ON COLUMN xero_fdw.sync_intent.batch IS
	'how many may go to Xero together; 0: it has failed alone; -1: twice, and so on';
COMMENT ON COLUMN xero_fdw.sync_intent.problem IS
	'what Xero has answered when it failed';
COMMENT ON COLUMN xero_fdw.sync_intent.let_through IS
	'the brake has let it through, or a person';
COMMENT ON COLUMN xero_fdw.sync_intent.idempotency_key IS
	'by which Xero knows the request again; null: it waits to be sent';
COMMENT ON COLUMN xero_fdw.sync_intent.first_sent IS
	'when it was first sent, by Xero''s clock; null: it was not';

COMMENT ON TABLE xero_fdw.sync_issue IS
	'internal: what a person has to look at: rows that one side refuses, conflicts, doubtful matches';
COMMENT ON COLUMN xero_fdw.sync_issue.issue_id IS 'number of the issue';
COMMENT ON COLUMN xero_fdw.sync_issue.sync_id IS 'number of the sync';
COMMENT ON COLUMN xero_fdw.sync_issue.link_id IS 'link that it is about';
COMMENT ON COLUMN xero_fdw.sync_issue.tenant_id IS 'organisation';
COMMENT ON COLUMN xero_fdw.sync_issue.local_key IS
	'array of the local key''s values';
COMMENT ON COLUMN xero_fdw.sync_issue.xero_id IS 'key of the record';
COMMENT ON COLUMN xero_fdw.sync_issue.kind IS
	'validation, conflict, ambiguous, transform or missing';
COMMENT ON COLUMN xero_fdw.sync_issue.field IS 'field of a conflict';
COMMENT ON COLUMN xero_fdw.sync_issue.message IS 'what is wrong';
COMMENT ON COLUMN xero_fdw.sync_issue.sqlstate IS 'code of the error';
COMMENT ON COLUMN xero_fdw.sync_issue.payload IS
	'the values that it is about';
COMMENT ON COLUMN xero_fdw.sync_issue.first_seen IS
	'when it first happened';
COMMENT ON COLUMN xero_fdw.sync_issue.last_seen IS 'when it last happened';
COMMENT ON COLUMN xero_fdw.sync_issue.attempts IS 'how often it happened';

COMMENT ON TABLE xero_fdw.sync_run IS
	'internal: the runs';
COMMENT ON COLUMN xero_fdw.sync_run.run_id IS 'number of the run';
COMMENT ON COLUMN xero_fdw.sync_run.sync_id IS 'number of the sync';
COMMENT ON COLUMN xero_fdw.sync_run.pid IS 'process ID of the backend';
COMMENT ON COLUMN xero_fdw.sync_run.started_at IS 'when it began';
COMMENT ON COLUMN xero_fdw.sync_run.ended_at IS 'when it ended';
COMMENT ON COLUMN xero_fdw.sync_run.state IS
	'running, done, paused (the next run continues there), failed, crashed, cancelled, or busy (another run was under way)';
COMMENT ON COLUMN xero_fdw.sync_run.phase IS 'what is being done';
COMMENT ON COLUMN xero_fdw.sync_run.done IS 'how much of the phase is done';
COMMENT ON COLUMN xero_fdw.sync_run.total IS
	'out of how much; null while not known';
COMMENT ON COLUMN xero_fdw.sync_run.pulled IS 'records read';
COMMENT ON COLUMN xero_fdw.sync_run.pushed IS 'rows sent';
COMMENT ON COLUMN xero_fdw.sync_run.created IS 'records and rows created';
COMMENT ON COLUMN xero_fdw.sync_run.updated IS 'records and rows changed';
COMMENT ON COLUMN xero_fdw.sync_run.unchanged IS
	'records and rows that were as they should be';
COMMENT ON COLUMN xero_fdw.sync_run.conflicts IS
	'fields that both sides had changed';
COMMENT ON COLUMN xero_fdw.sync_run.issues IS 'issues filed';
COMMENT ON COLUMN xero_fdw.sync_run.calls IS 'calls to Xero';
COMMENT ON COLUMN xero_fdw.sync_run.bytes IS 'bytes of their bodies';
COMMENT ON COLUMN xero_fdw.sync_run.budget_wait IS 'time waited for limits';
COMMENT ON COLUMN xero_fdw.sync_run.sqlstate IS 'code of the error';
COMMENT ON COLUMN xero_fdw.sync_run.error IS 'why it was paused or failed';
