# Every object that can be written: created, read back, changed, ended.  What
# the sandbox then has of it, and what each of these costs.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);

# What rows refer to
$session->rows(q{INSERT INTO xero.contacts (name) VALUES ('Partner'), ('Customer')});
$session->rows(q{DELETE FROM xero.tracking_categories});
my $contact = $session->rows(q{SELECT contact_id FROM xero.contacts WHERE name = 'Partner'});
my $customer = $session->rows(q{SELECT contact_id FROM xero.contacts WHERE name = 'Customer'});
my ($bank, $other_bank) = split /\n/, $session->rows(q{SELECT account_id FROM xero.accounts WHERE type = 'BANK' AND status = 'ACTIVE' AND currency_code = 'AUD' ORDER BY name LIMIT 2});
my $user = $session->rows(q{SELECT user_id FROM xero.users LIMIT 1});
my $line = q{[{"Description": "Work", "Quantity": 2, "UnitAmount": 1.2345, "AccountCode": "200"}]};
my $cost = $line =~ s/"200"/"429"/r;
$session->rows(qq{INSERT INTO xero.invoices (type, contact_id, date, due_date, invoice_number, status, line_items)
	SELECT t, '$contact', '2026-03-01', '2026-03-31', 'OPEN-' || n, 'AUTHORISED', l::jsonb FROM (VALUES (1, 'ACCREC', '$line'), (2, 'ACCREC', '$line'), (3, 'ACCPAY', '$cost')) AS v (n, t, l)});
my ($open, $open_too, $bill) = split /\n/, $session->rows(q{SELECT invoice_id FROM xero.invoices WHERE invoice_number LIKE 'OPEN-%' ORDER BY invoice_number});
my $bill_line = $session->rows(qq{SELECT line_item_id FROM xero.invoice_line_items WHERE invoice_id = '$bill'});
$session->rows(qq{INSERT INTO xero.receipt_details (date, contact_id, user_id, line_items, reference) VALUES ('2026-03-03', '$contact', '$user', '$cost', 'for a claim')});
my $receipt = $session->rows(q{SELECT receipt_id FROM xero.receipts WHERE reference = 'for a claim'});

# table => [Xero's object, its key column, what INSERT is given, what the record then has, SET of an UPDATE,
#           what that changes, what DELETE leaves].  Without SET, Xero offers no UPDATE; DELETE leaves nothing
# where that is undef, and is refused where it is ''.
my @objects = (
	accounts => [ 'Accounts', 'account_id', { code => 'O1', name => 'Object', type => 'EXPENSE', description => 'd' },
		{ Code => 'O1', Name => 'Object', Type => 'EXPENSE', Description => 'd', Status => 'ACTIVE' },
		q{name = 'Renamed'}, { Name => 'Renamed', Description => 'd' }, undef ],
	batch_payments => [ 'BatchPayments', 'batch_payment_id', { account_id => $bank, date => '2026-03-06', reference => 'ref', payments => qq{[{"Invoice": {"InvoiceID": "$open_too"}, "Amount": 1.5}]} },
		{ Reference => 'ref', TotalAmount => '1.5', Status => 'AUTHORISED' }, undef, undef, { Status => 'DELETED' } ],
	bank_transactions => [ 'BankTransactions', 'bank_transaction_id', { type => 'SPEND', contact_id => $contact, bank_account_id => $bank, date => '2026-03-03', reference => 'ref', line_items => $cost },
		{ Type => 'SPEND', Reference => 'ref', Status => 'AUTHORISED', Total => '2.47' },
		q{reference = 'new'}, { Reference => 'new', Total => '2.47' }, { Status => 'DELETED', Reference => 'new' } ],
	bank_transfers => [ 'BankTransfers', 'bank_transfer_id', { from_bank_account_id => $bank, to_bank_account_id => $other_bank, amount => '12.34', date => '2026-03-03', reference => 'ref' },
		{ Amount => '12.34', Reference => 'ref', Status => 'AUTHORISED' }, undef, undef, { Status => 'DELETED' } ],
	contacts => [ 'Contacts', 'contact_id', { name => 'Object', email_address => 'o@example.com', account_number => 'A1' },
		{ Name => 'Object', EmailAddress => 'o@example.com', AccountNumber => 'A1', ContactStatus => 'ACTIVE' },
		q{name = 'Renamed', account_number = NULL}, { Name => 'Renamed', AccountNumber => '', EmailAddress => 'o@example.com' }, { ContactStatus => 'ARCHIVED', Name => 'Renamed' } ],
	contact_groups => [ 'ContactGroups', 'contact_group_id', { name => 'Object' }, { Name => 'Object', Status => 'ACTIVE' },
		q{name = 'Renamed'}, { Name => 'Renamed' }, { Status => 'DELETED' } ],
	credit_notes => [ 'CreditNotes', 'credit_note_id', { type => 'ACCRECCREDIT', contact_id => $contact, date => '2026-03-01', due_date => '2026-03-31', credit_note_number => 'O-CN', line_items => $line },
		{ CreditNoteNumber => 'O-CN', Status => 'DRAFT', SubTotal => '2.47' },
		q{status = 'AUTHORISED', reference = 'r'}, { Status => 'AUTHORISED', Reference => 'r', SubTotal => '2.47' }, { Status => 'VOIDED', Reference => 'r' } ],
	currencies => [ 'Currencies', 'code', { code => 'CHF' }, { Code => 'CHF' }, undef, undef, '' ],
	expense_claims => [ 'ExpenseClaims', 'expense_claim_id', { user_id => $user, receipts => qq{[{"ReceiptID": "$receipt"}]} }, { Status => 'SUBMITTED' },
		q{status = 'AUTHORISED'}, { Status => 'AUTHORISED' }, { Status => 'VOIDED' } ],
	invoices => [ 'Invoices', 'invoice_id', { type => 'ACCREC', contact_id => $contact, date => '2026-03-01', due_date => '2026-03-31', invoice_number => 'O-INV', line_items => $line },
		{ InvoiceNumber => 'O-INV', Status => 'DRAFT', SubTotal => '2.47' },
		q{status = 'AUTHORISED', reference = 'r'}, { Status => 'AUTHORISED', Reference => 'r', SubTotal => '2.47' }, { Status => 'VOIDED', Reference => 'r' } ],
	items => [ 'Items', 'item_id', { code => 'O-IT', name => 'Object', sales_details => '{"UnitPrice": 1.2345}' }, { Code => 'O-IT', Name => 'Object' },
		q{name = 'Renamed'}, { Name => 'Renamed', Code => 'O-IT' }, undef ],
	linked_transactions => [ 'LinkedTransactions', 'linked_transaction_id', { source_transaction_id => $bill, source_line_item_id => $bill_line, contact_id => $contact },
		{ SourceTransactionID => $bill, ContactID => $contact }, qq{contact_id = '$customer'}, { ContactID => $customer, SourceTransactionID => $bill }, undef ],
	manual_journals => [ 'ManualJournals', 'manual_journal_id', { narration => 'Object', date => '2026-03-03', journal_lines => '[{"LineAmount": 10, "AccountCode": "200"}, {"LineAmount": -10, "AccountCode": "429"}]' },
		{ Narration => 'Object', Status => 'DRAFT' }, q{status = 'POSTED'}, { Status => 'POSTED', Narration => 'Object' }, { Status => 'VOIDED' } ],
	payments => [ 'Payments', 'payment_id', { invoice_id => $open, account_id => $bank, date => '2026-03-05', amount => '1.01', reference => 'ref' },
		{ Amount => '1.01', Reference => 'ref', Status => 'AUTHORISED' }, undef, undef, { Status => 'DELETED' } ],
	purchase_orders => [ 'PurchaseOrders', 'purchase_order_id', { contact_id => $contact, date => '2026-03-03', purchase_order_number => 'O-PO', line_items => $cost },
		{ PurchaseOrderNumber => 'O-PO', Status => 'DRAFT' }, q{reference = 'r'}, { Reference => 'r', Status => 'DRAFT' }, { Status => 'DELETED', Reference => 'r' } ],
	quotes => [ 'Quotes', 'quote_id', { contact_id => $contact, date => '2026-03-03', quote_number => 'O-Q', line_items => $line },
		{ QuoteNumber => 'O-Q', Status => 'DRAFT' }, q{title = 't'}, { Title => 't', QuoteNumber => 'O-Q' }, { Status => 'DELETED', Title => 't' } ],
	receipt_details => [ 'Receipts', 'receipt_id', { date => '2026-03-03', contact_id => $contact, user_id => $user, line_items => $cost, reference => 'ref' },
		{ Reference => 'ref', Status => 'DRAFT' }, q{reference = 'new'}, { Reference => 'new' }, { Status => 'VOIDED' } ],
	repeating_invoices => [ 'RepeatingInvoices', 'repeating_invoice_id', { type => 'ACCREC', contact_id => $contact, reference => 'ref', line_items => $line,
			schedule => '{"Period": 1, "Unit": "MONTHLY", "DueDate": 10, "DueDateType": "OFFOLLOWINGMONTH", "StartDate": "2026-04-01"}' },
		{ Reference => 'ref', Status => 'DRAFT' }, undef, undef, { Status => 'DELETED' } ],
	tax_rates => [ 'TaxRates', 'tax_type', { name => 'Object', tax_components => '[{"Name": "C", "Rate": 5}]', report_tax_type => 'OUTPUT' }, { Name => 'Object', Status => 'ACTIVE' },
		q{name = 'Renamed'}, { Name => 'Renamed' }, { Status => 'DELETED' } ],
	tracking_categories => [ 'TrackingCategories', 'tracking_category_id', { name => 'Object' }, { Name => 'Object', Status => 'ACTIVE' },
		q{name = 'Renamed'}, { Name => 'Renamed' }, undef ]);

# Members of a record that are as they should be, as the record has them
sub members
{
	my ($record, $expected) = @_;
	return { map { $_ => $record->{$_} } keys %$expected };
}

sub find
{
	my ($object, $key, $value) = @_;
	my ($field) = $session->rows(qq{SELECT field FROM xero_fdw.columns WHERE api = 'accounting' AND column_name = '$key' AND table_name = (SELECT table_name FROM xero_fdw.objects WHERE object = 'accounting/$object')});
	my @found = grep { $_->{$field} eq $value } @{ $sandbox->state($object) };
	return $found[0];
}

# A statement and the calls that write, without keys and queries
sub write_calls
{
	my ($sql) = @_;
	my $mark = $sandbox->mark;
	my $result = $session->try($sql);
	return ($result, join(', ', map { s/\?.*//r =~ s/[0-9a-f-]{36}/*/gr =~ s{^(\w+) /api.xro/2.0/}{$1 }r } grep { !/^GET/ } $sandbox->calls($mark)));
}

my %written;
while (my ($table, $row) = splice(@objects, 0, 2))
{
	my ($object, $key, $given, $has, $set, $changed, $left) = @$row;
	my @columns = sort keys %$given;
	my $values = join(', ', map { my $value = $given->{$_} =~ s/'/''/gr; "'$value'" } @columns);
	$written{$table} = 1;
	my $count = scalar(@{ $sandbox->state($object) });
	my ($result, $calls) = write_calls("INSERT INTO xero.$table (" . join(', ', @columns) . ") VALUES ($values) RETURNING $key");
	is($result->{state}, '00000', "$table: INSERT") or diag($result->{text});
	is($calls, "PUT $object", "$table: ... is a call");
	my $id = $result->{rows};
	my $record = find($object, $key, $id);
	is_deeply(members($record, $has), $has, "$table: ... and stored");
	is(scalar(@{ $sandbox->state($object) }), $count + 1, "$table: ... once");
	is($session->rows("SELECT count(*) FROM xero.$table WHERE $key = '$id' AND " . join(' AND ', map { $given->{$_} =~ /^\[|^\{/ ? "$_ IS NOT NULL" : "$_ = '$given->{$_}'" } @columns)), 1, "$table: ... and reads as it was given")
	  unless $table eq 'batch_payments';    # which does not show its account

	if (defined $set)
	{
		($result, $calls) = write_calls("UPDATE xero.$table SET $set WHERE $key = '$id'");
		is($result->{state}, '00000', "$table: UPDATE") or diag($result->{text});
		like($calls, qr{^POST $object(/\*)?$}, "$table: ... is a call");
		is_deeply(members(find($object, $key, $id), $changed), $changed, "$table: ... and changes what it sets");
	}
	else
	{
		is($session->try("UPDATE xero.$table SET $columns[0] = $columns[0] WHERE $key = '$id'")->{state}, '0A000', "$table: no UPDATE");
	}

	($result, $calls) = write_calls("DELETE FROM xero.$table WHERE $key = '$id'");
	if (defined $left && !ref $left)
	{
		is($result->{state}, '0A000', "$table: no DELETE");
		like($result->{text}, qr/HINT:  Xero offers: INSERT/, "$table: ... but what there is");
		next;
	}
	is($result->{state}, '00000', "$table: DELETE") or diag($result->{text});
	like($calls, defined $left ? qr{^POST $object(/\*)?$} : qr{^DELETE $object/\*$}, "$table: ... is a call");
	$record = find($object, $key, $id);
	is_deeply($left ? members($record, $left) : $record, $left, "$table: ... and ends it");
	next if !$left || $table eq 'contact_groups';    # gone, or not shown any more
	is($session->try("DELETE FROM xero.$table WHERE $key = '$id'")->{state}, '0A000', "$table: ... for good");
}

# None is left out; payment services cannot be had in the sandbox, and child
# tables have a test of their own.
is($session->rows(q{SELECT string_agg(table_name, ' ' ORDER BY table_name) FROM xero_fdw.objects WHERE api = 'accounting' AND 'create' = ANY (operations) AND object NOT LIKE '%/%/%'}),
	join(' ', sort('payment_services', keys %written)), 'all objects that can be written');

# Four decimals are asked for wherever they can be
my @calls = grep { m{^(?:GET|PUT|POST) /api.xro/2.0/(?:BankTransactions|CreditNotes|Invoices|Items|Receipts|Overpayments|Prepayments)\b} } $sandbox->calls(0);
cmp_ok(scalar(@calls), '>', 20, 'calls of objects that have unitdp');
is_deeply([ grep { !/[?&]unitdp=4/ } @calls ], [], '... all ask for four decimals');
is(scalar(grep { $_->{Code} eq 'TEST' } @{ $sandbox->state('Items') }), 0, 'no item of that code');
is($session->rows(q{INSERT INTO xero.items (code, sales_details, purchase_details) VALUES ('TEST', '{"UnitPrice": 0.1648}', '{"UnitPrice": 12.3456}') RETURNING sales_details ->> 'UnitPrice', purchase_details ->> 'UnitPrice'}), '0.1648|12.3456', 'prices keep their decimals');
my ($item) = grep { $_->{Code} eq 'TEST' } @{ $sandbox->state('Items') };
is($item->{SalesDetails}{UnitPrice} + 0, 0.1648, '... in Xero');

done_testing();
