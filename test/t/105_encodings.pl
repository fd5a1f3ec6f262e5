# Databases in other encodings than Xero's: text arrives converted, values in
# conditions leave converted, and what has no place in the encoding is an error
# that names it.
use strict;
use warnings;
use utf8;

use Encode qw(encode decode);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits' ], import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $url = $sandbox->url;
my $list = '/api.xro/2.0/Accounts';
my ($first, $second) = map { "00000000-0000-0000-0000-00000000000$_" } 1, 2;

sub connected
{
	my ($name, $encoding) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0 ENCODING '$encoding' LOCALE 'C'");
	my $session = XeroSession->new($node, dbname => $name);
	$session->rows(<<"SQL");
CREATE EXTENSION xero_fdw;
CREATE SERVER xero FOREIGN DATA WRAPPER xero_fdw OPTIONS (api_url '$url');
CREATE USER MAPPING FOR PUBLIC SERVER xero OPTIONS (access_token 'sandbox-token');
CREATE SCHEMA xero;
IMPORT FOREIGN SCHEMA accounting FROM SERVER xero INTO xero;
CREATE FOREIGN TABLE tree (account_id uuid, tree jsonb OPTIONS (field 'Tree'), raw json OPTIONS (field 'Tree'))
	SERVER xero OPTIONS (object 'accounting/Accounts');
SQL
	return $session;
}

# Serve these members as the only record.
sub serve
{
	my (%members) = @_;
	$sandbox->faults({ path => $list, status => 200,
		body => "{\"Accounts\": [{\"AccountID\": \"$first\", " . join(', ', map { "\"$_\": $members{$_}" } sort keys %members) . '}]}' });
	return;
}

# psql speaks UTF-8 (PGCLIENTENCODING), as bytes.
sub utf8 { return encode('UTF-8', $_[0]); }

my $session = connected('latin', 'LATIN1');
is($session->rows('SHOW server_encoding'), 'LATIN1', 'a database in LATIN1');
serve(Name => '"Café Zürich ñ"', Code => '"\u00e9\u0041"', Description => '"tab\t\u00fc\\\\"');
is($session->rows('SELECT name FROM xero.accounts'), utf8('Café Zürich ñ'), 'accents');
is($session->rows('SELECT octet_length(name), length(name) FROM xero.accounts'), '13|13', 'are one byte each');
is($session->rows('SELECT code FROM xero.accounts'), utf8('éA'), 'escaped accents');
is($session->rows(utf8("SELECT description = E'tab\\tü\\\\' FROM xero.accounts")), 't', 'mixed');
is($session->rows(utf8(q{SELECT xero_fdw._fold('ZÜRICH') = 'zürich' OR NOT EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu')})),
	't', 'names have no case');
foreach my $quote ("\x{2019}", '\u2019')
{
	$sandbox->faults({ path => '/api.xro/2.0/Items', method => 'PUT', status => 200,
		body => qq({"Items": [{"ItemID": "$first"}, {"ItemID": "$second", "ValidationErrors": [{"Message": "It isn${quote}t unique"}]}]}) });
	my $refused = $session->try(q{INSERT INTO xero.items (code) VALUES ('a'), ('b')});
	is($refused->{state}, '23514', "a row is refused in words that the database cannot hold") or diag($refused->{text});
	like($refused->{text}, qr/row 2, code "b": It isn\?+t unique\n.*1 inserted into foreign table "items": \Q$first\E/, '... and the other is known to be stored');
}
serve(Tree => '{"Näme": "Zürich", "x": "\u00e9"}');
is($session->rows('SELECT tree FROM tree'), utf8('{"x": "é", "Näme": "Zürich"}'), 'jsonb');
is($session->rows('SELECT raw FROM tree'), utf8('{"Näme": "Zürich", "x": "\u00e9"}'), 'json');

foreach my $case (
	[ 'emoji', '"Pizza 🍕"', 'name' ], [ 'an escaped emoji', '"\ud83c\udf55"', 'name' ],
	[ 'a letter of another script', '"Ж"', 'name' ], [ 'an escaped letter', '"\u0416"', 'name' ])
{
	my ($name, $value, $column) = @$case;
	serve(Name => $value, Code => '"1"');
	my $result = $session->try("SELECT account_id, $column FROM xero.accounts");
	is($result->{state}, '22P05', "$name: SQLSTATE") or diag($result->{text});
	like($result->{text}, qr/invalid value for column "$column" of foreign table "accounts"\nDETAIL:  In the record with account_id "$first", /, "$name: is named");
	is($session->rows('SELECT code FROM xero.accounts'), '1', "$name: unwanted, it does no harm");
}
serve(Tree => '{"x": "🍕"}');
my $result = $session->try('SELECT tree FROM tree');
is($result->{state}, '22P05', 'emoji in jsonb') or diag($result->{text});
like($result->{text}, qr/invalid value for column "tree" of foreign table "tree"/, 'is named');
serve(Deep => '"🍕"', Name => '"x"');
is($session->rows('SELECT name FROM xero.accounts'), 'x', 'emoji in a member that is no column');

# Xero's words in errors.
$sandbox->faults({ path => $list, status => 400, body => '{"Type": "ValidationException", "Message": "Café 🍕 Ж"}' });
$result = $session->try('SELECT name FROM xero.accounts');
is($result->{state}, 'HV00L', 'a message in UTF-8: SQLSTATE');
like($result->{text}, qr/ValidationException: Caf.* /, 'is shown as far as possible');
serve(AddToWatchlist => '"Café 🍕"');
$result = $session->try('SELECT add_to_watchlist FROM xero.accounts');
like($result->{state}, qr/^22P0[25]$/, 'a value in a message: SQLSTATE') or diag($result->{text});
like($result->{text}, qr/column "add_to_watchlist" of foreign table "accounts"/, 'message');
$sandbox->faults;

# Conditions leave as UTF-8 and find what they name.
$sandbox->data(object => 'Contacts', records => [
	{ ContactID => $first, Name => 'Café Zürich', ContactStatus => 'ACTIVE' },
	{ ContactID => $second, Name => 'Cafe Zurich', ContactStatus => 'ACTIVE' } ]);
my $condition = utf8("SELECT contact_id FROM xero.contacts WHERE name = 'Café Zürich'");
my $mark = $sandbox->mark;
is($session->rows($condition), $first, 'a condition with accents');
my ($call) = grep { m{/Contacts} } $sandbox->calls($mark);
is($call =~ /Name==/ ? $call =~ /Name=="Caf\xc3\xa9 Z\xc3\xbcrich"/ : 1, 1, 'which travels as UTF-8') or diag($call);
like($session->rows("SELECT string_agg(path, ' ') FROM xero_fdw.requests"), qr/Accounts/, 'the log of requests can be read');
$session->quit;

# SQL_ASCII takes the bytes as they come.
$session = connected('bytes', 'SQL_ASCII');
serve(Name => '"Café 🍕"', Code => '"1"');
is($session->rows('SELECT octet_length(name), encode(name::bytea, \'hex\') FROM xero.accounts'),
	length(utf8('Café 🍕')) . '|' . unpack('H*', utf8('Café 🍕')), 'SQL_ASCII: the bytes of UTF-8');
serve(Name => '"\u0041\u00e9"', Code => '"1"');
$result = $session->try('SELECT account_id, name FROM xero.accounts');
is($result->{state}, '22P05', 'SQL_ASCII: PostgreSQL refuses an escaped accent there');
like($result->{text}, qr/invalid value for column "name" of foreign table "accounts"\nDETAIL:  In the record with account_id "$first", /, 'its column is named');
is($session->rows('SELECT code FROM xero.accounts'), '1', 'afterwards');
$sandbox->faults;
is($session->rows($condition), $first, 'SQL_ASCII: a condition with accents');
is($session->rows(utf8("SELECT xero_fdw._fold('ZÜRICH')")), utf8('zÜrich'), 'SQL_ASCII: names with accents have the case that they have');
$session->quit;

# A multi-byte encoding other than UTF-8.
$session = connected('japan', 'EUC_JP');
serve(Name => '"東京 \u6771"', Code => '"1"');
is($session->rows('SELECT name FROM xero.accounts'), utf8('東京 東'), 'EUC_JP');
is($session->rows('SELECT octet_length(name) FROM xero.accounts'), '7', 'in its own bytes');
serve(Name => '"Pizza 🍕"');
is($session->try('SELECT name FROM xero.accounts')->{state}, '22P05', 'emoji');
$session->quit;

# The log of requests is shared by databases of different encodings.
$session = XeroSession->new($node, dbname => 'latin');
isnt($session->rows('SELECT count(*) FROM xero_fdw.requests'), '0', 'each database reads its own requests');
$session->quit;

done_testing();
