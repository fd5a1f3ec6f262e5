# Answers whose bodies are not what they should be: each is the right rows
# after a retry, or an error that says what and where, and never a part.
use strict;
use warnings;
use utf8;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;
use XeroWire;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits' ]);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);

my $list = '/api.xro/2.0/Accounts';
my $query = 'SELECT count(account_id), min(code), max(name) FROM xero.accounts';
my $rows = $session->rows($query);
like($rows, qr/^\d\d+\|/, 'the undisturbed list');

sub calls { return scalar(grep { $_ =~ m{^GET $list\b} } $sandbox->calls($_[0])); }

# What a single statement makes of a fault: state, calls, and that the same
# session then reads the list.
sub suffers
{
	my ($name, $fault, $state, $calls, $text) = @_;
	my $mark = $sandbox->mark;
	$sandbox->faults({ path => $list, %$fault });
	my $result = $session->try($query);
	is($result->{state}, $state, "$name: SQLSTATE") or diag($result->{text});
	is(calls($mark), $calls, "$name: calls");
	if ($state eq '00000') { is($result->{rows}, $rows, "$name: rows"); }
	else { like($result->{text}, $text, "$name: message"); }
	$sandbox->faults;
	is($session->rows($query), $rows, "$name: afterwards");
	return;
}

sub json { return { status => 200, body => $_[0] }; }

my $html = { status => 200, body => '<html><body>Sorry!</body></html>',
	headers => { 'Content-Type' => 'text/html; charset=utf-8' } };

# What a repetition may cure is repeated, and no more often than thrice (five
# times where the transport is to blame).
suffers('HTML instead of JSON', $html, 'HV00L', 3,
	qr/answer for server "xero" is not JSON\nDETAIL:  GET \/api.xro\/2.0\/Accounts: HTTP status 200, correlation id \S+\./);
suffers('HTML once', { %$html, times => 1 }, '00000', 2);
suffers('HTML that claims to be JSON', json('<html></html>'), 'HV00L', 3, qr/is not JSON/);
suffers('bytes that are nothing', { garbage => 1 }, 'HV00L', 3, qr/is not JSON/);
suffers('bytes that are nothing, once', { garbage => 1, times => 1 }, '00000', 2);
suffers('empty body', json(''), 'HV00L', 3, qr/is not JSON/);
suffers('empty body twice', { %{ json('') }, times => 2 }, '00000', 3);
suffers('blanks', json(" \r\n\t "), 'HV00L', 3, qr/is not JSON/);
suffers('an end that is missing', json('{"Accounts": [{"Code": "1"}]'), 'HV00L', 3, qr/is not JSON/);
suffers('cut short', { truncate => 700 }, '08006', 5,
	qr/connection to Xero was lost for server "xero"\nDETAIL:  GET \/api.xro\/2.0\/Accounts: /);
suffers('cut short once', { truncate => 700, times => 1 }, '00000', 2);
suffers('cut short at once', { truncate => 0, times => 1 }, '00000', 2);
suffers('byte by byte', { drip_ms => 5, times => 1 }, '00000', 1);

# An answer without a body is no list of nothing, nor the one before.
suffers('no content', { status => 204 }, 'HV00L', 3, qr/is not JSON/);
suffers('not modified', { status => 304 }, 'HV00L', 1, qr/unexpected answer/);

# What is JSON to begin with, but wrong: its place is told.
my $key = '00000000-0000-0000-0000-000000000001';
my @malformed = (
	[ 'missing value', '{"Accounts": [{]}', qr/should be a member's name here\. This is at byte 16 of 17/ ],
	[ 'missing comma', '{"Accounts": [{"Code": "1" "Name": "x"}]}', qr/comma or a closing brace/ ],
	[ 'unclosed string', '{"Accounts": [{"Code": "1}]}', qr/The text ends inside a string/ ],
	[ 'unclosed list', '{"Accounts": [{"Code": "1"}', qr/The text ends inside an array of records/ ],
	[ 'more after the end', '{"Accounts": []} {}', qr/There is more after the end/ ],
	[ 'the records twice', '{"Accounts": [], "Accounts": []}', qr/The records come twice/ ],
	[ 'no records', '{"Status": "OK"}', qr/unexpected response for foreign table "accounts"\n.*no member "Accounts"/ ],
	[ 'records that are a word', '{"Accounts": "none"}', qr/should be an array of records/ ],
	[ 'an array without its envelope', '[]', qr/is not a JSON object/ ],
	[ 'records without their envelope', '[{"Code": "1"}]', qr/is not a JSON object/ ],
	[ 'a record that is a number', '{"Accounts": [1]}', qr/should be an object here/ ],
	[ 'a record that is null', '{"Accounts": [null]}', qr/should be an object here/ ],
	[ 'records that are null', '{"Accounts": null}', qr/unexpected response for foreign table "accounts"\nDETAIL:  Its member "Accounts" is null\. \(HTTP status 200/ ],
	[ 'null for records that are counted', '{"Accounts": null, "pagination": {"itemCount": 1}}', qr/Its member "Accounts" is null/ ],
	[ 'a failure in an empty list', '{"Status": "ERROR", "Message": "Xero\u0027s \"boom\"", "Accounts": []}',
		qr/Xero failed to answer a request for foreign table "accounts"\nDETAIL:  Xero's "boom" \(HTTP status 200/ ],
	[ 'a failure behind the list', '{"Accounts": [], "status": "error"}', qr/Xero failed to answer .*\nDETAIL:  Xero gave no reason\. \(HTTP status 200/ ],
	[ 'a failure without a list', '{"Status": "ERROR", "Message": "boom"}', qr/Xero failed to answer .*\nDETAIL:  boom \(/ ],
	[ 'control characters', "{\"Accounts\": [{\"Code\": \"1\n2\"}]}", qr/could not parse|invalid value/ ],
	[ 'wrong literal', '{"Accounts": [{"Code": nul}]}', qr/could not parse/ ],
	[ 'deep arrays', '{"Accounts": ' . '[' x 100_000 . ']}', qr/could not parse/ ],
	[ 'deep arrays in an unwanted member', '{"Deep": ' . '[' x 100_000 . ']}', qr/nested too deeply/ ],
	[ 'deep objects', '{"a":' x 100_000 . '}', qr/nested too deeply/ ],
	[ 'deep objects in a record', '{"Accounts": [' . '{"x":' x 100_000 . '}', qr/nested too deeply/ ]);
foreach my $case (@malformed)
{
	my ($name, $body, $text) = @$case;
	suffers($name, json($body), 'HV00L', 1, $text);
}

# A list of nothing is a list of nothing.
foreach my $body ('{"Accounts": []}', '{"Status": "OK", "Accounts": [], "Message": "boom"}',
	'{"Accounts": null, "pagination": {"page": 1, "pageCount": 0, "itemCount": 0}}', "\x{FEFF}{\"Accounts\": []}")
{
	$sandbox->faults({ path => $list, status => 200, body => $body });
	(my $name = "nothing in $body") =~ s/\x{FEFF}/a byte order mark and /;
	is($session->rows('SELECT count(account_id) FROM xero.accounts'), 0, $name);
}

# Values that a column cannot hold: table, column and record are named.
sub record
{
	my ($members) = @_;
	return { status => 200, body => "{\"Accounts\": [{\"AccountID\": \"$key\", $members}]}" };
}
my @values = (
	[ 'NUL in a text', '"Code": "a\u0000b"', 'code', '22P05', qr/\\u0000 cannot be converted/ ],
	[ 'text in a uuid', '"AccountID": "x"', 'account_id', '22P02', qr/type uuid/ ],
	[ 'text in a boolean', '"AddToWatchlist": "maybe"', 'add_to_watchlist', '22P02', qr/type boolean: "maybe"/ ],
	[ 'an object in a boolean', '"AddToWatchlist": {}', 'add_to_watchlist', '22P02', qr/type boolean/ ],
	[ 'text in a timestamp', '"UpdatedDateUTC": "soon"', 'updated_date_utc', '22007', qr/not a date or time/ ],
	[ 'a year too far', '"UpdatedDateUTC": "\/Date(99999999999999999999)\/"', 'updated_date_utc', '22008', qr/out of range/ ],
	[ 'an escape that is none', '"Code": "a\q"', 'code', '22P02', qr/Escape sequence "\\q" is invalid/ ],
	[ 'half a surrogate pair', '"Code": "\ud83d"', 'code', '22P02', qr/surrogate/ ]);
foreach my $case (@values)
{
	my ($name, $members, $column, $state, $text) = @$case;
	$sandbox->faults({ path => $list, %{ record($members) } });
	my $result = $session->try("SELECT $column, account_id FROM xero.accounts");
	is($result->{state}, $state, "$name: SQLSTATE") or diag($result->{text});
	like($result->{text}, qr/invalid value for column "$column" of foreign table "accounts"/, "$name: table and column");
	like($result->{text}, qr/In (the record with account_id "$key"|the record with account_id "x"), .*is refused: /, "$name: record");
	like($result->{text}, $text, "$name: reason");
	is($result->{text} =~ /^HINT:  With xero_fdw.on_bad_text set to "replace", U\+FFFD is read/m ? 1 : 0,
		$name =~ /^(NUL|half)/ ? 1 : 0, "$name: hint");
	is($session->rows('SELECT count(*) FROM (SELECT name FROM xero.accounts OFFSET 0) a'), 1, "$name: unwanted, it does no harm")
	  unless $column eq 'account_id';
}
$sandbox->faults;

# Extra columns: numbers, jsonb, fields that do not exist.
$session->rows(<<'SQL');
CREATE FOREIGN TABLE wide (
	account_id uuid,
	amount numeric OPTIONS (field 'Amount'),
	cents numeric(12,2) OPTIONS (field 'Amount'),
	whole integer OPTIONS (field 'Amount'),
	small smallint OPTIONS (field 'Amount'),
	double float8 OPTIONS (field 'Amount'),
	tree jsonb OPTIONS (field 'Tree'),
	raw json OPTIONS (field 'Tree'),
	short varchar(3) OPTIONS (field 'Word'),
	days integer[] OPTIONS (field 'Days'),
	ghost text OPTIONS (field 'No.Such.Member')
) SERVER xero OPTIONS (object 'accounting/Accounts');
SQL
sub wide
{
	my ($members, $column) = @_;
	$sandbox->faults({ path => $list, %{ record($members) } });
	return $session->try("SELECT $column FROM wide");
}
my $long = '9' x 10_000;
is(wide("\"Amount\": $long", 'amount')->{rows}, $long, '10,000 digits arrive as they are');
is(wide("\"Amount\": -$long.$long", 'amount')->{rows}, "-$long.$long", 'with a fraction, too');
is(wide('"Amount": 1e400', 'amount')->{rows}, '1' . '0' x 400, 'exponents are exact');
is(wide('"Amount": 0.1000', 'amount')->{rows}, '0.1000', 'zeros at the end stay');
foreach my $case (
	[ "\"Amount\": $long", 'whole', '22003', 'is refused: value "99' ], [ "\"Amount\": $long", 'cents', '22003', 'numeric' ],
	[ '"Amount": 40000', 'small', '22003', 'smallint' ], [ '"Amount": 1e400', 'double', '22003', 'double' ],
	[ '"Amount": 1e999999999', 'amount', '22003', 'numeric' ], [ '"Amount": 1.5', 'whole', '22P02', 'integer' ],
	[ '"Amount": true', 'amount', '22P02', 'numeric' ], [ '"Amount": [1]', 'amount', '22P02', 'numeric' ],
	[ '"Word": "four"', 'short', '22001', 'character varying' ],
	[ '"Tree": {"a": "\u0000"}', 'tree', '22P05', 'u0000' ])
{
	my ($members, $column, $state, $text) = @$case;
	my $name = substr($members, 0, 24) . " in $column";
	my $result = wide($members, $column);
	is($result->{state}, $state, "$name: SQLSTATE") or diag($result->{text});
	like($result->{text}, qr/invalid value for column "$column" of foreign table "wide"/, "$name: table and column");
	like($result->{text}, qr/\Q$text\E/, "$name: reason");
	cmp_ok(length $result->{text}, '<', 1500, "$name: no flood");
}
is(wide('"Tree": {"a": "\u0000"}', 'raw')->{rows}, '{"a": "\u0000"}', 'json keeps what text cannot hold');
my $nest = '[' x 5_000 . ']' x 5_000;
my $deep = wide("\"Tree\": $nest", 'tree');
like($deep->{state}, qr/^(HV00L|54001)$/, 'jsonb nested too deeply') or diag($deep->{text});
is(wide('"Word": "x"', "ghost IS NULL")->{rows}, 't', 'a member that does not exist is null');
is(wide('"No": {"Such": {"Member": "found"}}', 'ghost')->{rows}, 'found', 'until it does');
is(wide('"No": 1', "ghost IS NULL")->{rows}, 't', 'and a number has no members');
$sandbox->faults;

# Child rows: the array is something else.
my $invoices = '/api.xro/2.0/Invoices';
foreach my $case (
	[ '5', 'HV00L' ], [ '"x"', 'HV00L' ], [ 'true', 'HV00L' ], [ '[[]]', 'HV00L' ], [ '[{},5]', 'HV00L' ],
	[ 'null', '' ], [ '[]', '' ], [ '[null]', '' ], [ '[null, {"Description": "a"}, null,{"Description": "b"},null]', "a|\nb|" ], [ '[nul]', 'HV00L' ], [ '{}', '|' ], [ '[{}]', '|' ], [ '[{"Description": "a"},{"Description": "b"}]', "a|\nb|" ])
{
	my ($value, $expected) = @$case;
	$sandbox->faults({ path => $invoices, status => 200, body => "{\"Invoices\": [{\"InvoiceID\": \"$key\", \"LineItems\": $value}]}" });
	my $result = $session->try("SELECT description, line_amount FROM xero.invoice_line_items");
	is($result->{state} eq '00000' ? $result->{rows} : $result->{state}, $expected, "LineItems: $value") or diag($result->{text});
	like($result->{text}, qr/could not parse the response for foreign table "invoice_line_items"\nDETAIL:  .*(should be an? (array|object)|There is no valid value here)/, "message") if $expected eq 'HV00L';
}

# Counts that make no sense: never a hang, never a short result.
sub counted
{
	my ($pagination, $records, $sql) = @_;
	$sandbox->faults({ path => $invoices, status => 200, body => '{"pagination": ' . $pagination . ', "Invoices": ['
		  . join(',', map { sprintf('{"InvoiceID": "00000000-0000-0000-0000-%012d", "Total": %d}', $_, -$_) } 1 .. $records) . ']}' });
	return $session->try($sql);
}
$session->rows('SET xero_fdw.max_calls = 30');
foreach my $pagination ('null', '[]', '7', '"x"', '{}', '{"pageCount": null, "itemCount": null}', '{"pageCount": "many", "itemCount": "more"}',
	'{"pageCount": -1, "itemCount": -5}', '{"pageCount": 1, "itemCount": 3}', '{"pageCount": 1.0, "itemCount": 3.0}',
	'{"pageCount": 0, "itemCount": 0}', '{"pageCount": 1e9, "itemCount": 99999999999999999999999999}', '{"PAGECOUNT": 1, "ItemCount": 3}')
{
	is(counted($pagination, 3, 'SELECT count(invoice_id::text) FROM xero.invoices')->{rows}, 3, "three records with pagination $pagination");
}
foreach my $case (
	[ '{"pageCount": 900000000000000000, "itemCount": 900000000000000000}', 3, qr/HV00L: Xero sent the same page/ ],
	[ '{"pageCount": 2, "itemCount": 3}', 3, qr/HV00L: Xero sent the same page/ ],
	[ '{"pageCount": 1, "itemCount": 4}', 3, qr/HV00L: foreign table "invoices" was not read completely\nDETAIL:  Xero counted 4 records but sent 3\.\nHINT:  / ],
	[ '{"pageCount": 0, "itemCount": 1}', 0, qr/HV00L: foreign table "invoices" was not read completely/ ],
	[ 'null', 1000, qr/HV00L: Xero sent the same page/ ])
{
	my ($pagination, $records, $text) = @$case;
	$session->rows('SELECT xero_fdw.reset_stats()');    # or the plan is refused
	like(counted($pagination, $records, 'SELECT count(invoice_id::text) FROM xero.invoices')->{text}, $text, "$records records with pagination $pagination");
}
is(counted('{"pageCount": 1, "itemCount": 7}', 1, 'SELECT count(*) FROM xero.invoices')->{rows}, 7, 'count(*) believes itemCount');
is(counted('null', 3, 'SELECT count(*) FROM xero.invoices')->{rows}, 3, 'and counts where there is none');
like(counted('null', 1000, 'SELECT count(*) FROM xero.invoices')->{text}, qr/HV00L: Xero sent the same page/, 'but not the same page again and again');
$session->rows('RESET xero_fdw.max_calls');
is(counted('{"pageCount": 1, "itemCount": 7}', 1, 'SELECT count(*), max(total) FROM xero.invoices')->{rows}, '7|-1', 'max() is the first one');
is(counted('null', 3, 'SELECT count(*), max(total) FROM xero.invoices')->{rows}, '3|-1', '... where there is no itemCount, too');
is(counted('{"itemCount": 0}', 0, 'SELECT count(*), max(total) FROM xero.invoices')->{rows}, '0|', '... of none');
like(counted('{"itemCount": 1}', 0, 'SELECT max(total), min(due_date) FILTER (WHERE total > 0) FROM xero.invoices')->{text},
	qr/HV00L: foreign table "invoices" was not read completely/, '... of one that does not come');
# (where nobody knows how short the list is)
$session->rows('SELECT xero_fdw.reset_stats()');
is(counted('null', 3, 'SELECT count(*), count(due_date) FROM xero.invoices')->{rows}, '3|3', 'several counts');
is(counted('null', 3, "SELECT count(*) FROM xero.invoices WHERE invoice_id = ANY ('{" . join(',', map { sprintf('00000000-0000-0000-0000-%012d', $_) } 1 .. 100) . "}')")->{rows}, 9, 'of each of several lists');
$sandbox->faults;

# What only a server of our own sends: bytes that are no UTF-8, bodies without
# end, answers that are no HTTP.
my $tenant = $session->rows('SELECT tenant_id FROM xero.accounts LIMIT 1');
$session->rows("ALTER SERVER xero OPTIONS (ADD tenant_id '$tenant')");
my %answer = (
	utf8 => "{\"Accounts\": [{\"Name\": \"caf\xe9\"}]}",
	nul => "{\"Accounts\": [{\"Name\": \"a\0b\"}]}",
	unwanted => "{\"Accounts\": [{\"Status\": \"caf\xe9\", \"Name\": \"x\"}]}");
# 300 MB that are read from the socket at once
require IO::Compress::Gzip;
IO::Compress::Gzip::gzip(\('{"Accounts": [' . ' ' x (300 * 1024**2)) => \my $packed);
my $wire = XeroWire->new(sub {
	my ($socket, $head) = @_;
	my ($what) = $head =~ m{^GET /(\w+)/};
	if (my $body = $answer{$what})
	{
		print $socket "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ", length $body, "\r\n\r\n", $body;
	}
	elsif ($what eq 'endless')
	{
		print $socket "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
		my $chunk = '10000' . "\r\n" . '{"Accounts": [' . ' ' x 65522 . "\r\n";
		while (print $socket $chunk) { }
	}
	elsif ($what eq 'bomb')
	{
		my $megabyte = ' ' x 1048576;
		print $socket "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n";
		my $gzip = IO::Compress::Gzip->new($socket);
		for (1 .. 400) { last unless print $gzip $megabyte; }
		$gzip->close;
	}
	elsif ($what eq 'packed')
	{
		print $socket "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ", length $packed, "\r\n\r\n", $packed;
	}
	elsif ($what eq 'badgzip')
	{
		print $socket "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\n{\"A\": 1}";
	}
	elsif ($what eq 'nohttp') { print $socket "220 mail.example.com ESMTP\r\n"; }
	elsif ($what eq 'longline')
	{
		print $socket "HTTP/1.1 200 OK\r\nX-Filler: ", 'x' x 1_500_000, "\r\n\r\n";
	}
	elsif ($what eq 'headers')
	{
		print $socket "HTTP/1.1 200 OK\r\n";
		for (1 .. 100_000) { last unless print $socket "X-Filler: " . 'x' x 100 . "\r\n"; }
	}
});
sub wired
{
	my ($what) = @_;
	$session->rows("ALTER SERVER xero OPTIONS (SET api_url '" . $wire->url . "/$what')");
	return $session->try('SELECT name FROM xero.accounts');
}
foreach my $case (
	[ utf8 => 'HV00L', qr/could not parse the response for foreign table "accounts"\nDETAIL:  The response is not valid UTF-8\. This is at byte 28 of 32: / ],
	[ unwanted => 'HV00L', qr/not valid UTF-8/ ],
	[ nul => 'HV00L', qr/could not parse the response/ ],
	[ endless => 'HV00L', qr/too large/ ],
	[ bomb => 'HV00L', qr/too large/ ],
	[ badgzip => '08006', qr/lost/ ],
	[ nohttp => '08006', qr/lost/ ],
	[ longline => '08006', qr/lost/ ],
	[ headers => '08006', qr/lost/ ])
{
	my ($what, $state, $text) = @$case;
	my $result = wired($what);
	is($result->{state}, $state, "$what: SQLSTATE") or diag($result->{text});
	like($result->{text}, $text, "$what: message");
}

# While libcurl unpacks it, a timeout ends the statement all the same.  (On a busy
# machine it may end before the body comes.)
$session->rows("ALTER SERVER xero OPTIONS (SET api_url '" . $wire->url . "/packed'); SELECT xero_fdw.reset_stats(); SET statement_timeout = 80");
is($session->try('SELECT name FROM xero.accounts')->{state}, '57014', 'a body that is unpacked for long: SQLSTATE');
$session->rows('RESET statement_timeout');
isnt($session->rows("SELECT string_agg(error, ', ') FROM xero_fdw.requests WHERE path LIKE '%/Accounts'"), 'answer too large', 'it was not unpacked to the end');

$session->rows("ALTER SERVER xero OPTIONS (SET api_url '" . $sandbox->url . "')");
is($session->rows($query), $rows, 'the session has survived all that');
$session->memory_below('VmHWM', 700_000, 'and its memory was never more than 700 MB');

# A body of 3 GB is refused by its length, before it is read.
my $peak = $session->memory('VmHWM');
my $mark = $sandbox->mark;
$sandbox->faults({ path => $list, huge => 3 * 1024**3 });
my $result = $session->try($query);
is($result->{state}, 'HV00L', 'a body of 3 GB: SQLSTATE');
like($result->{text}, qr/answer for server "xero" is too large\nDETAIL:  GET \/api.xro\/2.0\/Accounts: HTTP status 200/, 'message');
is(calls($mark), 1, 'calls');
$session->memory_below('VmHWM', $peak + 16_384, 'memory');
$sandbox->faults;
is($session->rows($query), $rows, 'afterwards');

$session->quit;
done_testing();
