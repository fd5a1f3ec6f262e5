# Xero's reasons, wherever an answer has them, reach the user: in DETAIL, with
# the line or the part that is meant, and a HINT where something can be done.
use strict;
use warnings;

use JSON::PP;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--strict', '--no-limits', '--invoices', 20 ],
	server => { minute_limit => 1000000, day_limit => 1000000 });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $contact = $session->rows("SELECT contact_id FROM xero.contacts WHERE contact_status = 'ACTIVE' LIMIT 1");
my $insert = "INSERT INTO xero.invoices (type, contact_id, line_items) VALUES ('ACCREC', '$contact', '[{\"Description\": \"a\", \"Quantity\": 1, \"UnitAmount\": 1, \"AccountCode\": \"200\"}]')";

# One answer to a statement: its state and what its message is like.
sub says
{
	my ($name, $statement, $fault, $state, @text) = @_;
	$sandbox->faults({ path => '/api.xro/2.0/Invoices', times => 1, %$fault });
	my $result = $session->try($statement);
	is($result->{state}, $state, "$name: SQLSTATE") or diag($result->{text});
	like($result->{text}, $_, "$name: message") foreach @text;
	$sandbox->faults;
	return $result;
}

sub answer { my ($status, $document, %more) = @_; return { status => $status, body => encode_json($document), %more }; }

# ---- writes ----

my $account = { Message => "Account code '9999' is not a valid code for this document." };
my $line = { LineItems => [ { Description => 'fine', ValidationErrors => [] }, { ValidationErrors => [$account] } ] };
my $zero = '00000000-0000-0000-0000-000000000000';
my $at_line = qr/refused: line 2: Account code '9999' is not a valid code for this document\.\n/;

says('400, at a line', $insert,
	answer(400, { ErrorNumber => 10, Type => 'ValidationException', Message => 'A validation exception occurred', Elements => [ { ValidationErrors => [], %$line } ] }),
	'23514', $at_line);
says('200, at a line', $insert,
	answer(200, { Status => 'OK', Invoices => [ { InvoiceID => $zero, StatusAttributeString => 'ERROR', ValidationErrors => [], %$line } ] }),
	'23514', $at_line);
says('at the element and at a line', $insert,
	answer(200, { Invoices => [ { InvoiceID => $zero, StatusAttributeString => 'ERROR', ValidationErrors => [ { Message => 'The document has no date' } ], %$line } ] }),
	'23514', qr/refused: The document has no date\n/, qr/DETAIL:  row 1[^\n]*: The document has no date \| line 2: Account code '9999'/);
says('at what the element refers to', $insert,
	answer(200, { Invoices => [ { InvoiceID => $zero, StatusAttributeString => 'ERROR', Contact => { ValidationErrors => [ { Message => 'The contact is archived' } ] } } ] }),
	'23514', qr/refused: Contact: The contact is archived\n/);
says('at a payment', $insert,
	answer(200, { Invoices => [ { InvoiceID => $zero, StatusAttributeString => 'ERROR', Payments => [ {}, { ValidationErrors => [ { Message => 'Too much' } ] } ] } ] }),
	'23514', qr/refused: Payments 2: Too much\n/);
says('under Description', $insert,
	answer(400, { ErrorNumber => 10, Elements => [ { ValidationErrors => [ { Description => 'A contact must be supplied' } ] } ] }),
	'23502', qr/refused: A contact must be supplied\n/);
says('without any', $insert,
	answer(200, { Invoices => [ { InvoiceID => $zero, StatusAttributeString => 'ERROR' } ] }),
	'23514', qr/refused: Xero did not store it, and gave no reason\.\n/);
says('in XML', $insert,
	{ status => 400, headers => { 'Content-Type' => 'application/xml' }, body => '<ApiException><ErrorNumber>10</ErrorNumber><Message>The string &quot;x&quot; is not a valid AllXsd value.</Message></ApiException>' },
	'HV00L', qr/refused: The string "x" is not a valid AllXsd value\.\n/);
says('a Description that is no reason', $insert,
	answer(200, { Invoices => [ { InvoiceID => $zero, StatusAttributeString => 'ERROR', LineItems => [ { Description => 'Not a reason' } ] } ] }),
	'23514', qr/gave no reason/);
says('of a tax amount', $insert,
	answer(200, { Invoices => [ { InvoiceID => $zero, StatusAttributeString => 'ERROR', LineItems => [ { ValidationErrors => [ { Message => 'The tax amount 3 does not match the expected tax amount 0.1' } ] } ] } ] }),
	'23514', qr/HINT:  Xero computes taxes itself: leave tax amounts out\./);
says('texts in an array', $insert,
	answer(200, { Invoices => [ { InvoiceID => '11111111-1111-1111-1111-111111111111', ValidationErrors => ['Too late', { Message => 'Too much' }] } ] }),
	'23514', qr/refused: Too late\n/, qr/DETAIL:  row 1[^\n]*: Too late \| Too much/);
says('a text', $insert,
	answer(200, { Invoices => [ { InvoiceID => '11111111-1111-1111-1111-111111111111', ValidationErrors => 'Too late' } ] }),
	'23514', qr/refused: Too late\n/);
says('texts below names', $insert,
	answer(400, { ErrorNumber => 10, Elements => [ { ValidationErrors => { Date => ['Too late'] } } ] }), '23514', qr/refused: Too late\n/);
says('behind a byte order mark', $insert,
	{ status => 400, body => "\x{feff}" . encode_json({ ErrorNumber => 10, Elements => [ { ValidationErrors => [ { Message => 'Too late' } ] } ] }) },
	'23514', qr/refused: Too late\n/);
says('blanks', $insert, answer(400, { ErrorNumber => 10, Message => " \n" }), '23514', qr/refused: HTTP status 400, correlation id \S+\n/);
says('a reason of blanks', $insert,
	answer(400, { ErrorNumber => 10, Elements => [ { ValidationErrors => [ { Message => " \n" } ] } ] }), '23514', qr/refused: Xero's reason has no letters\.\n/);
says('more than anybody reads', $insert,
	answer(400, { ErrorNumber => 10, Elements => [ { ValidationErrors => [ map { { Message => "number $_" } } 1 .. 7000 ] } ] }),
	'23514', qr/DETAIL:  row 1[^\n]*: number 1 \| .* \| number 20 \| and more$/m);
is($session->rows("SELECT count(*) FROM xero.invoices"), 20, 'nothing was stored');

# what repeats the token is shown without it
my $token = 'sandbox-token';
foreach my $case (
	[ 'a refused write', $insert, answer(400, { Message => "Bearer $token is no good" }), qr/refused: Bearer \*+ is no good\n/ ],
	[ 'a row', $insert, answer(200, { Invoices => [ { InvoiceID => $zero, ValidationErrors => [ { Message => "no $token" } ] } ] }), qr/refused: no \*+\n/ ],
	[ 'an error', 'SELECT count(*) FROM xero.invoices', answer(500, { Message => "$token, $token" }), qr/"\*+, \*+"/ ],
	[ 'a page', 'SELECT count(*) FROM xero.invoices', { status => 403, headers => { 'Content-Type' => 'text/html' }, body => "<p>Authorization: Bearer $token</p>" }, qr/"Authorization: Bearer \*+"/ ],
	[ 'a page that is cut', 'SELECT count(*) FROM xero.invoices', { status => 403, headers => { 'Content-Type' => 'text/html' }, body => '<p>Bearer sandbox-to' }, qr/"Bearer \*+"/ ],
	[ 'a header', 'SELECT count(*) FROM xero.invoices', { status => 401, headers => { 'WWW-Authenticate' => "insufficent_scope $token" }, body => '{}' }, qr/insufficent_scope \*+/ ])
{
	my ($name, $statement, $fault, $shown) = @$case;
	$sandbox->faults({ path => '/api.xro/2.0/Invoices', %$fault });
	my $result = $session->try($statement);
	like($result->{text}, $shown, "$name: the token is hidden");
	unlike($result->{text}, qr/sandbox-to/, '... wherever it is');
	$sandbox->faults;
}

# a sync notes the same reasons
my $text = $session->rows("SELECT sqlstate || ' ' || message FROM xero_fdw._push('xero.invoices', 'update', '[]', 'k')");
is($text, '', 'a push of nothing');
$sandbox->faults({ path => '/api.xro/2.0/Contacts', times => 1, %{ answer(200,
	{ Contacts => [ { ContactID => $zero, StatusAttributeString => 'ERROR', ContactPersons => [ { ValidationErrors => [ { Message => 'No such person' } ] } ] } ] }) } });
is($session->rows("SELECT sqlstate || ' ' || message FROM xero_fdw._push('xero.contacts', 'insert', '[{\"name\": \"Pushed\"}]', 'k2')"),
	'23514 ContactPersons 1: No such person', 'a push tells the part, too');
$sandbox->faults;

# ---- reads ----

my $select = 'SELECT count(invoice_id::text) FROM xero.invoices';
my $where = "SELECT count(invoice_id::text) FROM xero.invoices WHERE reference = 'x'";

says('lower case', $select, answer(403, { title => 'Forbidden', status => 403, detail => 'AuthenticationUnsuccessful', instance => 'x' }),
	'42501', qr/DETAIL:  [^\n]*"AuthenticationUnsuccessful"/, qr/HINT:  [^\n]*(?:connected|tenant_id)/);
says('Description of a whole answer', $select, answer(400, { Type => 'X', Description => 'It does not exist.' }),
	'HV00L', qr/"X: It does not exist\."/);
says('403 of a gateway', $select,
	{ status => 403, headers => { 'Content-Type' => 'text/html' }, body => "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\nYou don't have permission.</BODY></HTML>" },
	'08001', qr/a gateway in front of Xero refused a request of server "xero"\n/, qr/"Access Denied You don't have permission\."/, qr/HINT:  [^\n]*TLS is older than 1\.2/);
says('high volume', $where,
	answer(400, { ErrorNumber => 16, Type => 'QueryParseException', Message => 'Your request is not filtering Invoices efficiently, given the extremely high volume for this organisation. Please check https://developer.xero.com for tips' }),
	'HV00L', qr/extremely high volume/, qr/HINT:  [^\n]*"optimised" in the view xero_fdw\.columns/);

# ---- Xero is not there ----

sub calls { my ($mark) = @_; return scalar(grep { $_->{path} =~ /Invoices/ } $sandbox->log($mark)); }

my $offline = { status => 503, headers => { 'Content-Type' => 'text/plain' }, body => 'The Organisation is offline' };
$session->rows("SET xero_fdw.max_wait = '3s'");
my $result = says('offline for long', $select, { %$offline, times => 99 },
	'HV00L', qr/Xero is not available for server "xero"\nDETAIL:  [^\n]*"The Organisation is offline"/,
	qr/HINT:  Xero takes an organisation offline for some minutes: try again in five\. The statement asked again for as long as xero_fdw\.max_wait \(3000 ms\) allows\./);
my $mark = $sandbox->mark;
says('offline, then back', $select, { %$offline, times => 3 }, '00000');
is(calls($mark), 4, 'three refused calls, and the answer');
$mark = $sandbox->mark;
says('a write, offline, then back', $insert, { %$offline, method => 'PUT', times => 2 }, '00000');
my @keys = map { my $call = $_; map { $call->{headers}{$_} } grep { lc($_) eq 'idempotency-key' } keys %{ $call->{headers} } }
	grep { $_->{method} eq 'PUT' } $sandbox->log($mark);
is(scalar(@keys), 3, 'a write is repeated');
is(scalar(keys %{ { map { $_ => 1 } @keys } }), 1, '... under the same key');
is($session->rows("SELECT count(*) FROM xero.invoices"), 21, '... and is stored once');

# a pause that Xero asks for, and that is too long, is not begun
$mark = $sandbox->mark;
says('Retry-After beyond max_wait', $select, { %$offline, times => 99, headers => { 'Retry-After' => 300 } }, 'HV00L', qr/not available/,
	qr/HINT:  [^\n]*try again in five\. Xero asks for a pause of 300 seconds; xero_fdw\.max_wait is 3000 ms for the whole statement\.$/m);
is(calls($mark), 1, 'one call');
# what ends after a number of calls, and not by max_wait, does not speak of it
my $gateway = { status => 502, times => 99 };
says('502 of a filter', $where, $gateway, 'HV00L', qr/HINT:  See https:\/\/status\.xero\.com; a filter that takes Xero too long may be the cause, too\.$/m);
# no pause beyond the first moment without patience
$session->rows("SET xero_fdw.max_wait = 0");
$mark = $sandbox->mark;
says('no patience', $select, { %$offline, times => 99 }, 'HV00L', qr/max_wait \(0 ms\)/);
is(calls($mark), 2, 'one retry, at once');
$session->rows("RESET xero_fdw.max_wait");

# patience that is lost while a page is waited for ends the waiting (there are two
# pages: a third could be asked for ahead, and its pause be too long at once); the
# setting is told as it was when Xero asked for the pause, before or after that
$session->rows(q{
	ALTER SERVER xero OPTIONS (ADD page_size '15');
	CREATE SEQUENCE seen;
	CREATE FUNCTION lose_patience(number text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM pg_sleep(0.05);
		IF nextval('seen') = 8 THEN
			PERFORM set_config('xero_fdw.max_wait', '0', false);
		END IF;
		RETURN number;
	END $$;});
my $began = time;
says('patience that is lost', 'SELECT count(lose_patience(invoice_number)) FROM xero.invoices',
	{ %$offline, after => 1, headers => { 'Retry-After' => 60 } }, 'HV00L', qr/Xero asks for a pause of 60 seconds; xero_fdw\.max_wait is \d+ ms/);
cmp_ok(time - $began, '<', 50, '... at once');
done_testing();
