# Scopes that Xero does not grant to every application: a consent does not ask
# for them unless it is told to, and who needs one is told all about it.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use XeroConsent;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits', '--invoices', 20, '--contacts', 20 ], XeroConsent::options());
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my ($mark, $result);

sub scopes { XeroConsent::begin($session, 'xero') =~ /&scope=([^&]*)/; return ' ' . ($1 =~ s/%20/ /gr) . ' '; }
my @tables = split /\n/, $session->rows("SELECT foreign_table_name FROM information_schema.foreign_tables WHERE foreign_table_schema = 'xero' ORDER BY 1");
my $closed = qr/^((?:cash_)?journals|(?:cash_)?journal_|expense_claims?|receipts?|receipt_)/;

# A query fails for lack of a scope, after one call.
sub lacks
{
	my ($name, $sql, @text) = @_;
	$mark = $sandbox->mark;
	$result = $session->try($sql);
	is($result->{state}, '42501', "$name: SQLSTATE") or diag($result->{text});
	like($result->{text}, $_, "$name: message") foreach @text;
	is(scalar(grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark)), 1, "$name: one call");
	return;
}

# What is there of the tables that "which" matches can be read.
sub readable
{
	my ($name, $which) = @_;
	my @failed = grep { $session->try("SELECT 1 FROM xero.$_ LIMIT 1")->{state} ne '00000' } grep { $which->($_) } @tables;
	return is("@failed", '', $name);
}

# ---- an application of today ----

unlike(scopes(), qr/ accounting\.(journals|classicexpenses|transactions|reports)| finance/, 'no closed scope is asked for');
like(XeroConsent::connect($session, 'xero'), qr/Demo Company/, 'so the consent succeeds');
readable('and every table can be read that needs none', sub { $_[0] !~ $closed });
my $advanced = qr/Xero grants it only to applications of the Advanced tier, and to those from before 2 March 2026 \(custom connections: 29 April 2026\)\./;
lacks('journals', 'SELECT count(*) FROM xero.journals',
	qr/ERROR:  42501: the access token of server "xero" lacks the scope for "\/api\.xro\/2\.0\/Journals"\nDETAIL:  The scope is accounting\.journals\.read\. $advanced GET /,
	qr/\nHINT:  Use the tables of what journals are made from, such as invoices, payments, bank_transactions and manual_journals\. If the application has the scope: Set the server option "scopes" to this scope and all others that are needed\. Authorize it: SELECT xero_fdw\.authorize_url\('xero'\);/);
my $before = qr/Xero grants it only to applications from before 2 March 2026, and ends it in February 2027\./;
lacks('receipts', 'SELECT count(receipt_id) FROM xero.receipts', qr/The scope is accounting\.classicexpenses\.read\. $before/, qr/HINT:  Use invoices of the type ACCPAY, or bank_transactions of the type SPEND\. /);
lacks('expense claims, written', 'INSERT INTO xero.expense_claims (user_id, receipts) VALUES (gen_random_uuid(), \'[{"ReceiptID": "00000000-0000-0000-0000-000000000001"}]\')',
	qr/The scope is accounting\.classicexpenses\. $before .*PUT /);

# what is open, but was not asked for
$session->rows("ALTER SERVER xero OPTIONS (ADD scopes 'accounting.settings.read')");
XeroConsent::connect($session, 'xero');
lacks('left out by the option', 'SELECT count(lower(name)) FROM xero.contacts', qr/DETAIL:  The scope is accounting\.contacts\.read\. GET /,
	qr/HINT:  Add the scope to the server option "scopes"\. Authorize it: SELECT xero_fdw\.authorize_url\('xero'\);/);
$session->rows('ALTER SERVER xero OPTIONS (DROP scopes)');
lacks('a table that came after the consent', 'SELECT count(lower(name)) FROM xero.contacts',
	qr/HINT:  A consent is for the tables that there are when it is given\. Authorize it: SELECT xero_fdw\.authorize_url\('xero'\);/);

# a closed scope is asked for if somebody says so, which refuses the consent
$session->rows("ALTER SERVER xero OPTIONS (ADD scopes 'accounting.settings accounting.transactions finance.statements.read')");
like(scopes(), qr/ accounting\.transactions finance\.statements\.read $/, 'the option is obeyed');
$result = $session->try(XeroConsent::complete('xero', XeroConsent::browse(XeroConsent::begin($session, 'xero'))));
is($result->{state}, '28000', 'refused by Xero');
my $named = qr/The server option "scopes" names accounting\.transactions: Xero grants it only to applications from before 2 March 2026, and ends it on 13 September 2027\. Use accounting\.invoices, accounting\.payments, accounting\.banktransactions and accounting\.manualjournals\. It names finance\.statements\.read: Xero grants it only to applications that it has approved for that\./;
like($result->{text}, qr/Xero did not accept the request for consent of server "xero"\nDETAIL:  invalid_scope\nHINT:  $named/, 'and why');
$session->rows("ALTER SERVER xero OPTIONS (SET scopes 'accounting.settings files.everything')");
$result = $session->try(XeroConsent::complete('xero', XeroConsent::browse(XeroConsent::begin($session, 'xero'))));
like($result->{text}, qr/DETAIL:  invalid_scope\nHINT:  The server option "scopes" names a scope that the application does not have, or that does not exist\./, 'a scope that does not exist');
$session->rows('ALTER SERVER xero OPTIONS (DROP scopes)');

# nothing is left to be asked for
$session->rows("DROP SCHEMA xero CASCADE; CREATE SCHEMA xero; IMPORT FOREIGN SCHEMA accounting LIMIT TO (journals, receipts) FROM SERVER xero INTO xero");
$result = $session->try("SELECT xero_fdw.authorize_url('xero')");
is($result->{state}, '42501', 'tables that need closed scopes alone');
like($result->{text}, qr/all foreign tables of server "xero" need scopes that Xero grants to few applications\nDETAIL:  The scopes are accounting\.journals\.read accounting\.classicexpenses\.\nHINT:  If the application has them, set the server option "scopes"\./, 'are no consent');
$session->rows('IMPORT FOREIGN SCHEMA accounting LIMIT TO (accounts) FROM SERVER xero INTO xero');
like(scopes(), qr/ offline_access accounting\.settings $/, 'but one table is');
$session->rows('DROP SCHEMA xero CASCADE; CREATE SCHEMA xero; IMPORT FOREIGN SCHEMA accounting FROM SERVER xero INTO xero');

# ---- an application from before ----

$session->rows("ALTER SERVER xero OPTIONS (SET client_id 'sandbox-legacy')");
unlike(scopes(), qr/ accounting\.(journals|classicexpenses)/, 'nobody knows that it may ask for more');
XeroConsent::connect($session, 'xero');
lacks('before it did', 'SELECT count(*) FROM xero.journals', qr/$advanced/);
my $all = scopes() =~ s/ (openid|profile|email|offline_access)\b//gr;
$session->rows("ALTER SERVER xero OPTIONS (ADD scopes '$all accounting.journals.read accounting.classicexpenses')");
like(XeroConsent::connect($session, 'xero'), qr/Demo Company/, 'told to');
readable('every table can be read', sub { 1 });
$session->rows("ALTER SERVER xero OPTIONS (SET scopes 'accounting.transactions accounting.settings accounting.contacts accounting.journals.read accounting.budgets.read paymentservices')");
like(XeroConsent::connect($session, 'xero'), qr/Demo Company/, 'by the broad scopes');
$result = $session->try('SELECT count(*) FROM xero.quote_attachments');
is($result->{state}, '42501', 'what is below records needs more than the records');
like($result->{text}, qr/lacks the scope for "\/api\.xro\/2\.0\/Quotes\/[0-9a-f-]{36}\/Attachments"\nDETAIL:  The scope is accounting\.attachments\.read\. GET /, 'and says so');
$session->rows("ALTER SERVER xero OPTIONS (SET scopes 'accounting.transactions accounting.settings accounting.contacts accounting.attachments.read accounting.journals.read accounting.budgets.read paymentservices')");
XeroConsent::connect($session, 'xero');
readable('every table can be read by them', sub { 1 });

# ---- custom connections ----

$session->rows("ALTER SERVER xero OPTIONS (SET client_id 'sandbox-client', DROP scopes, ADD grant_type 'client_credentials')");
readable('a custom connection asks for no scope, and has what is open', sub { $_[0] !~ $closed });
is(scalar(grep { $_->{path} eq '/connect/token' && $_->{body} =~ /client_credentials/ && $_->{body} =~ /scope/ } $sandbox->log), 0, 'by the calls');
lacks('a custom connection without the scope', 'SELECT count(*) FROM xero.journals', qr/$advanced/,
	qr/\nHINT:  Use the tables [^\n]* If the application has the scope: Grant the scope to the custom connection at developer\.xero\.com\./);
$session->rows("ALTER SERVER xero OPTIONS (ADD scopes 'accounting.settings accounting.journals.read')");
$result = $session->try('SELECT count(*) FROM xero.accounts');
is($result->{state}, '28000', 'a custom connection that asks for a closed scope');
like($result->{text}, qr/Xero refused an access token to server "xero"\nDETAIL:  HTTP status 400.*"invalid_scope"\.\nHINT:  The server option "scopes" names accounting\.journals\.read: $advanced/, 'is told which');
$session->rows("ALTER SERVER xero OPTIONS (SET scopes 'accounting.settings')");
lacks('a custom connection that asks for too little', 'SELECT count(lower(name)) FROM xero.contacts',
	qr/\nHINT:  Grant the scope to the custom connection at developer\.xero\.com, and add it to the server option "scopes"\./);
$session->rows("ALTER SERVER xero OPTIONS (SET client_id 'sandbox-legacy', SET scopes 'accounting.settings accounting.journals.read')");
cmp_ok($session->rows('SELECT count(*) FROM xero.journals'), '>', 0, 'one from before has it');
$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (ADD access_token 'sandbox-token')");
cmp_ok($session->rows('SELECT count(*) FROM xero.journals'), '>', 0, 'so has a token of somebody who may');

done_testing();
