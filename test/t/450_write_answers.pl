# A statement claims no more than Xero has done: what goes along with a change,
# what is looked for in the answer, and the warnings about the rest.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--strict', '--no-limits', '--contacts', 40, '--invoices', 60 ],
	server => { minute_limit => 1000000, day_limit => 1000000 });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $api = '/api.xro/2.0';
my $contact = $session->rows(q{SELECT contact_id FROM xero.contacts WHERE contact_status = 'ACTIVE' ORDER BY contact_id LIMIT 1});
my $line = q{[{"Description": "work", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}]};

sub reset_with { return $sandbox->reset(seed => 1, strict => JSON::PP::true, limits => JSON::PP::false, contacts => 40, invoices => 60, quirks => [@_]); }

# A statement without a warning; one with a warning like this
sub silent
{
	my ($sql, $name) = @_;
	my $result = $session->try($sql);
	is($result->{state}, '00000', $name) or diag($result->{text});
	unlike($result->{text}, qr/WARNING/, '... without a warning');
	return $result;
}
sub warns
{
	my ($sql, $pattern, $name) = @_;
	my $result = $session->try($sql);
	is($result->{state}, '00000', $name) or diag($result->{text});
	like($result->{text}, $pattern, '... with a warning');
	return $result;
}
sub body_of
{
	my ($mark) = @_;
	my ($call) = grep { $_->{method} ne 'GET' } $sandbox->log($mark);
	return ref $call->{body} ? $call->{body} : decode_json($call->{body});
}
sub record { my ($object, $key, $value) = @_; return (grep { ($_->{$key} // '') eq $value } @{ $sandbox->state($object) })[0]; }

# Quotes: a POST is not partial
foreach my $quirk ([], ['quotes-keep-omitted'])
{
	reset_with(@$quirk);
	my $before = record('Quotes', 'QuoteNumber', 'QU-0091');
	silent(q{UPDATE xero.quotes SET reference = 'PO 77' WHERE quote_number = 'QU-0091'}, "UPDATE of a quote @$quirk");
	my $after = record('Quotes', 'QuoteNumber', 'QU-0091');
	is_deeply({ %$after, UpdatedDateUTC => 0 }, { %$before, Reference => 'PO 77', UpdatedDateUTC => 0 }, '... changes the reference and nothing else');
	silent(q{UPDATE xero.quotes SET currency_code = 'USD' WHERE quote_number = 'QU-0007'}, '... and a currency');
	isnt(record('Quotes', 'QuoteNumber', 'QU-0007')->{CurrencyRate}, '1.0000000000', '... which does not keep the rate of the other');
}

# ... and lines of an INCLUSIVE one are shown without the tax that they are read with
reset_with();
my $result = $session->try(q{UPDATE xero.quote_line_items SET description = 'x' WHERE quote_id = (SELECT quote_id FROM xero.quotes WHERE quote_number = 'QU-0091')});
is($result->{state}, '0A000', 'lines of an INCLUSIVE quote are not sent back') or diag($result->{text});
like($result->{text}, qr/INCLUSIVE.*line_items/s, '... and the error says what to do');
silent(q{INSERT INTO xero.quotes (contact_id, date, line_amount_types, line_items) VALUES ('} . $contact . q{', '2026-02-03', 'INCLUSIVE', '} . $line . q{')}, 'an INCLUSIVE quote can be made');
reset_with('quotes-as-entered');
silent(q{UPDATE xero.quote_line_items SET description = 'x' WHERE quote_id = (SELECT quote_id FROM xero.quotes WHERE quote_number = 'QU-0091')}, 'if they are shown as they were entered, they are');

# Purchase orders keep their contact, manual journals have their narration
foreach my $quirk ([], ['orders-lose-contact'])
{
	reset_with(@$quirk);
	my ($order) = grep { $_->{Status} eq 'DRAFT' } @{ $sandbox->state('PurchaseOrders') };
	silent(qq{UPDATE xero.purchase_orders SET status = 'SUBMITTED' WHERE purchase_order_id = '$order->{PurchaseOrderID}'}, "UPDATE of an order @$quirk");
	is(record('PurchaseOrders', 'PurchaseOrderID', $order->{PurchaseOrderID})->{Contact}{ContactID}, $order->{Contact}{ContactID}, '... keeps its contact');
}
silent(q{UPDATE xero.items SET name = 'Renamed' WHERE code = 'BOOK'}, 'UPDATE of an item that does not set its code');

# The last person of a contact
foreach my $quirk ([], ['empty-persons-clear'])
{
	reset_with(@$quirk);
	my ($with) = grep { @{ $_->{ContactPersons} } == 1 } @{ $sandbox->state('Contacts') };
	silent(qq{DELETE FROM xero.contact_contact_persons WHERE contact_id = '$with->{ContactID}'}, "DELETE of the last person @$quirk");
	is_deeply(record('Contacts', 'ContactID', $with->{ContactID})->{ContactPersons}, [], '... removes it');
	my ($other) = grep { @{ $_->{ContactPersons} } > 1 && $_->{ContactStatus} eq 'ACTIVE' } @{ $sandbox->state('Contacts') };
	silent(qq{UPDATE xero.contacts SET contact_persons = '[]' WHERE contact_id = '$other->{ContactID}'}, '... and UPDATE to none');
	is_deeply(record('Contacts', 'ContactID', $other->{ContactID})->{ContactPersons}, [], '... removes all');
}
reset_with();
my ($kept) = grep { @{ $_->{ContactPersons} } == 1 } @{ $sandbox->state('Contacts') };
$sandbox->faults({ path => "$api/Contacts", method => 'POST', times => 1, status => 200, headers => { 'Content-Type' => 'application/json' },
	body => encode_json({ Contacts => [ { ContactID => $kept->{ContactID}, ContactPersons => $kept->{ContactPersons}, StatusAttributeString => 'OK' } ] }) });
warns(qq{DELETE FROM xero.contact_contact_persons WHERE contact_id = '$kept->{ContactID}'},
	qr/WARNING:.*did not store all.*ContactPersons is \[.* instead of \[\]/s, 'a person that is still there');

# Tracking that Xero does not know
my $tracked = q{INSERT INTO xero.invoices (type, contact_id, line_items) VALUES ('ACCREC', '} . $contact . q{', '[{"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200", "Tracking": [{"Name": "Region", "Option": "Moon"}]}]')};
warns($tracked, qr/LineItems\[1\]\.Tracking is \[\] instead of \[.*Moon/, 'tracking that is dropped');
reset_with('tracking-warned');
warns($tracked, qr/WARNING:.*Xero warns about a row.*The tracking category or option 'Moon' does not exist/, 'tracking that is dropped with a warning');
like($session->rows(q{SELECT warning FROM xero_fdw.requests WHERE method = 'PUT' ORDER BY at DESC LIMIT 1}), qr/Moon/, '... which the view of requests has');
is($session->rows(q{SELECT count(*) FROM xero_fdw.requests WHERE method = 'GET' AND warning IS NOT NULL}), 0, '... at the write');

# Names that lose their blanks are the same name
reset_with('trimmed-names');
silent(q{INSERT INTO xero.contacts (name) VALUES ('  Blanks ')}, 'a name that is trimmed');

# Other values than those that were sent
reset_with();
warns(q{UPDATE xero.invoices SET currency_rate = 2 WHERE invoice_id = (SELECT invoice_id FROM xero.invoices WHERE status = 'DRAFT' AND currency_code = 'AUD' ORDER BY 1 LIMIT 1)},
	qr/CurrencyRate is 1\.0+ instead of 2/, 'a rate that is not taken');
my ($plain) = grep { $_->{Status} eq 'AUTHORISED' && $_->{AmountPaid} == 0 && $_->{AmountCredited} == 0 } @{ $sandbox->state('Invoices') };
$sandbox->faults({ path => "$api/Invoices", method => 'POST', times => 1, status => 200, headers => { 'Content-Type' => 'application/json' },
	body => encode_json({ Invoices => [ { InvoiceID => $plain->{InvoiceID}, Reference => 'r', Total => 1.5, StatusAttributeString => 'OK' } ] }) });
warns(qq{UPDATE xero.invoices SET reference = 'r' WHERE invoice_id = '$plain->{InvoiceID}'}, qr/Total is 1\.5 instead of/, 'a total that has changed');

my $quote = record('Quotes', 'QuoteNumber', 'QU-0007');
$sandbox->faults({ path => "$api/Quotes", method => 'POST', times => 1, status => 200, headers => { 'Content-Type' => 'application/json' },
	body => JSON::PP->new->ascii->encode({ Quotes => [ { %$quote, Reference => 'r', Total => 992.73, StatusAttributeString => 'OK' } ] }) });
warns(q{UPDATE xero.quotes SET reference = 'r' WHERE quote_number = 'QU-0007'}, qr/: Total is 992\.73 instead of [0-9.]+\.$/m, 'so too a total of a quote, and nothing else');

# What has not ended is refused
$sandbox->faults({ path => "$api/Invoices", method => 'POST', times => 1, status => 200, headers => { 'Content-Type' => 'application/json' },
	body => encode_json({ Invoices => [ { InvoiceID => $plain->{InvoiceID}, Status => 'AUTHORISED', StatusAttributeString => 'OK' } ] }) });
$result = $session->try(qq{DELETE FROM xero.invoices WHERE invoice_id = '$plain->{InvoiceID}'});
is($result->{state}, '23514', 'an invoice that is not voided after all') or diag($result->{text});
like($result->{text}, qr/its status is "AUTHORISED"/, '... as the error says');
my ($credit) = grep { @{ $_->{Allocations} // [] } } @{ $sandbox->state('CreditNotes') };
my $allocation = $credit->{Allocations}[0]{AllocationID};
foreach my $case ([ { ValidationErrors => [ { Message => 'The document date cannot be before the period lock date' } ] }, qr/period lock date/ ], [ {}, qr/gave no reason/ ])
{
	$sandbox->faults({ path => "$api/CreditNotes/*", method => 'DELETE', times => 1, status => 200, headers => { 'Content-Type' => 'application/json' },
		body => encode_json({ AllocationId => $allocation, IsDeleted => JSON::PP::false, %{ $case->[0] } }) });
	$result = $session->try(qq{DELETE FROM xero.credit_note_allocations WHERE allocation_id = '$allocation'});
	like($result->{state}, qr/^23/, 'an allocation that is not deleted') or diag($result->{text});
	like($result->{text}, $case->[1], '... with the reason');
}
silent(qq{DELETE FROM xero.credit_note_allocations WHERE allocation_id = '$allocation'}, 'one that is');

# A line with a full discount does not stand in the way of the others
reset_with();
warns(qq{INSERT INTO xero.invoices (type, contact_id, due_date, invoice_number, status, line_items) VALUES ('ACCREC', '$contact', '2026-12-01', 'FREE-1', 'AUTHORISED',
	'[{"Description": "free", "Quantity": 1, "UnitAmount": 27.826, "DiscountRate": 100, "AccountCode": "200"}, {"Description": "work", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}]')}, qr/LineItems\[1\]\.AccountCode is null instead of "200"/, 'a line with a full discount loses its account');
my $mark = $sandbox->mark;
silent(q{UPDATE xero.invoice_line_items SET unit_amount = 110 WHERE description = 'work' AND invoice_id = (SELECT invoice_id FROM xero.invoices WHERE invoice_number = 'FREE-1')}, '... and another one changes');
my ($sent) = @{ body_of($mark)->{Invoices}[0]{LineItems} };
ok(!exists $sent->{DiscountAmount} && !exists $sent->{LineAmount}, '... without the amounts that Xero has rounded');
is(record('Invoices', 'InvoiceNumber', 'FREE-1')->{Total} + 0, 121, '... and the sum follows');

# What a total was rounded by: it has to be written with the totals, so an edit of lines loses it
reset_with('rounding-amounts');
my $rounded = $session->rows(qq{INSERT INTO xero.invoices (type, contact_id, date, due_date, invoice_number, status, line_items)
	VALUES ('ACCREC', '$contact', '2026-03-01', '2026-03-31', 'ROUNDED', 'AUTHORISED', '$line') RETURNING invoice_id});
sub round_it { $sandbox->change(object => 'Invoices', id => $rounded, set => { Total => $_[0], RoundingAmount => '0.10' }); return; }
my $line_of_it = "UPDATE xero.invoice_line_items SET %s WHERE invoice_id = '$rounded'";
round_it('110.10');
silent("UPDATE xero.invoices SET reference = 'r' WHERE invoice_id = '$rounded'", 'an edit that leaves the lines alone keeps a rounding');
warns(sprintf($line_of_it, q{description = 'other work'}), qr/WARNING.*Total is "?110(\.00)?"? instead of 110\.10/s, 'a text of a line loses it');
round_it('110.10');
warns(sprintf($line_of_it, 'quantity = 2'), qr/WARNING.*Total is "?220(\.00)?"? instead of 220\.10/s, 'another amount, too');
silent(sprintf($line_of_it, 'quantity = 3'), 'another amount of what is not rounded');
silent(sprintf($line_of_it, q{description = 'work'}), 'another text of it');
my $lines_of_it = "UPDATE xero.invoices SET line_items = '$line' WHERE invoice_id = '$rounded'";
round_it('330.10');
warns($lines_of_it, qr/WARNING.*Total is "?110(\.00)?"? instead of 110\.10/s, 'all lines at once, too');
silent($lines_of_it, 'all lines of what is not rounded');
silent(sprintf($line_of_it, 'quantity = 3'), 'back again');
round_it('331.00');
silent(sprintf($line_of_it, 'quantity = 1'), 'what is no rounding is not taken for one');

$session->quit;
done_testing();
