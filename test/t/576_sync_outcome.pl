# Requests whose outcome is not known: what both sides have agreed on is what was
# sent, never what is read later.  So what somebody edits meanwhile, at Xero or
# here, is an edit, and goes to the other side; only what both have edited is a
# conflict.  Nothing is there twice, and nothing ends that nobody has ended.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSync;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 0, '--invoices', 0, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000, request_timeout => 2000 },
	conf => "xero_fdw.max_wait = '300ms'\nrestart_after_crash = on");
my $sandbox = $xero->sandbox;
my $crm = XeroSync->new($xero);
my $path = '/api.xro/2.0/Contacts';

# One contact, on both sides; or none, with a row that is to be created.
sub prepare
{
	my ($conflict, %option) = @_;
	$crm->clear;
	$crm->create('crm', match_on => ['name'], conflict => $conflict, %option);
	return if $option{nothing};
	$crm->local_has({ name => 'Ann', email => 'old@example.com', account => '1', first => 'Ann' });
	is($crm->run('crm')->{state}, 'done', "$conflict: a contact");
	return;
}

# A run whose write is carried out, or not, and whose answer is of no use; then so
# much time passes.  (It is a redirect, as that is not asked for again.)
sub lose
{
	my ($method, $drop, $later) = @_;
	$sandbox->faults({ path => $path, method => $method, status => 302, $drop eq 'after' ? (worked => 1) : () });
	my $run = $crm->run('crm');
	is($run->{state}, 'paused', "$method lost $drop: paused") or diag($run->{text});
	$sandbox->faults;
	later($later) if $later;
	return;
}

# Time passes at Xero, and ours is set back meanwhile.
sub later { my ($seconds) = @_; $sandbox->clock($seconds); return; }

sub only { my ($all) = @_; my @all = values %$all; return @all == 1 ? $all[0] : {}; }
sub id { return only($crm->xero)->{ContactID}; }
sub email { return join(' ', map { $_ // '' } only($crm->local)->{email}, only($crm->xero)->{EmailAddress}); }
sub issues { return $crm->rows(q{SELECT coalesce(string_agg(kind || ' ' || coalesce(field, ''), ', '), '') FROM xero_fdw.sync_issues}); }

# The next run: what the two sides say, which calls it makes, and that the one after
# it has nothing to do.
sub ends
{
	my ($case, $emails, $calls, $issues) = @_;
	my $planned = $crm->rows(q{SELECT calls FROM xero_fdw.plan_sync('crm') WHERE action = 'total'});
	my $run = $crm->run('crm');
	is($run->{state}, 'done', "$case: the next run") or diag($run->{text});
	is(email(), $emails, "$case: here and at Xero");
	is(join(' ', map { (split /[ ?]/)[0] } @{ $run->{lines} }), $calls, "$case: its calls") or diag(join("\n", @{ $run->{lines} }));
	is($planned, $run->{calls}, "$case: ... which a plan has told");
	is(issues(), $issues // '', "$case: issues");
	$run = $crm->run('crm');
	is("$run->{state} " . join(' ', sort keys %{ $run->{calls_by} }), 'done GET', "$case: then all is quiet");
	is(email(), $emails, "$case: ... and stays");
	is(scalar(keys %{ $crm->xero }), 1, "$case: one contact");
	return;
}

# F-19: a create whose answer was lost, and an edit at Xero
foreach my $case ([ 'newest', 0 ], [ 'local', 0 ], [ 'local', 400 ], [ 'manual', 400 ])
{
	my ($conflict, $later) = @$case;
	prepare($conflict, nothing => 1);
	$crm->local_has({ name => 'Ann', email => 'sent@example.com' });
	lose('PUT', 'after', $later);
	$crm->xero_sets(id(), { EmailAddress => 'other@example.com' });
	ends("$conflict, create, $later s later", 'other@example.com other@example.com', $later ? 'GET' : 'GET PUT');
	is_deeply([ $crm->differences ], [], '... and all else');
}

# ... and one here; and both
foreach my $case ([ 'xero', 0, 'here@example.com here@example.com' ], [ 'xero', 1, 'other@example.com other@example.com' ],
	[ 'local', 1, 'here@example.com here@example.com' ], [ 'manual', 1, 'here@example.com other@example.com', 'conflict email' ])
{
	my ($conflict, $both, $emails, $issues) = @$case;
	prepare($conflict, nothing => 1);
	$crm->local_has({ name => 'Ann', email => 'sent@example.com' });
	lose('PUT', 'after', 400);
	$crm->rows(q{UPDATE crm.contacts SET email = 'here@example.com'});
	$crm->xero_sets(id(), { EmailAddress => 'other@example.com' }) if $both;
	ends("$conflict, create, edited here" . ($both ? ' and there' : ''), $emails, $emails =~ /^here.*here/ ? 'GET POST' : 'GET', $issues);
}

# A create that was not carried out
foreach my $later (0, 400)
{
	prepare('manual', nothing => 1);
	$crm->local_has({ name => 'Ann', email => 'sent@example.com' });
	lose('PUT', 'before', $later);
	ends("not created, $later s later", 'sent@example.com sent@example.com', 'GET PUT');
}

# A row that has another key by the time that its outcome is known: it says what was
# sent, so it is the same.
foreach my $case ([ 'PUT', 'after', 0, 'GET PUT' ], [ 'PUT', 'after', 400, 'GET' ], [ 'PUT', 'before', 0, 'GET PUT' ], [ 'POST', 'after', 0, 'GET' ])
{
	my ($method, $drop, $later, $calls) = @$case;
	my $insert = q{INSERT INTO crm.contacts (id, name, email) VALUES (7, 'Ann', 'sent@example.com')};
	foreach my $steps ("DELETE FROM crm.contacts; $insert", "$insert; DELETE FROM crm.contacts WHERE id <> 7", "TRUNCATE crm.contacts; $insert")
	{
		prepare('manual', on_delete => 'archive', nothing => $method eq 'PUT');
		$crm->rows($method eq 'PUT' ? q{INSERT INTO crm.contacts (name, email) VALUES ('Ann', 'sent@example.com')}
			: q{UPDATE crm.contacts SET email = 'sent@example.com', account = NULL, first = NULL});
		lose($method, $drop, $later);
		$crm->rows("BEGIN; $steps; COMMIT");
		ends("$method lost $drop, $later s later, $steps", 'sent@example.com sent@example.com', $calls);
		is($crm->rows('SELECT id FROM crm.contacts') . only($crm->xero)->{ContactStatus}, '7ACTIVE', '... a row, whose record lives');
	}
}
prepare('manual', on_delete => 'archive', nothing => 1);
$crm->local_has({ name => 'Ann' });
lose('PUT', 'before', 400);
$crm->rows(q{BEGIN; DELETE FROM crm.contacts; INSERT INTO crm.contacts (id, name) VALUES (1, 'Zoe'); COMMIT});
is($crm->run('crm')->{state}, 'done', 'not created, and another person with that key');
is(only($crm->xero)->{Name}, 'Zoe', '... who is deleted is not created any more');

# A plan settles what can be settled without a write, and tells what cannot.
sub plans
{
	my ($case, $plan) = @_;
	is($crm->rows(q{SELECT string_agg(DISTINCT concat_ws(' ', side, action, local_key), ', ') FROM xero_fdw.plan_sync('crm') WHERE action <> 'total'}), $plan, "$case: a plan");
	return;
}
foreach my $later (0, 400)
{
	prepare('manual', on_delete => 'archive', nothing => 1);
	$crm->local_has({ name => 'Ann' }, { name => 'Bob' });
	lose('PUT', 'after', $later);
	$crm->rows(q{DELETE FROM crm.contacts WHERE name = 'Ann'; UPDATE crm.contacts SET name = 'Bill' WHERE name = 'Bob'});
	plans("created, $later s later", join(', ', 'local update [2]', 'xero archive [1]', ($later ? () : ('xero settle [1]', 'xero settle [2]')), 'xero update [2]'));
	is_deeply($crm->run('crm')->{calls_by}, { GET => 1, POST => 2, ($later ? () : (PUT => 1)) }, '... and the run');
	is(join(' ', sort map { "$_->{Name} $_->{ContactStatus}" } values %{ $crm->xero }), 'Ann ARCHIVED Bill ACTIVE', '... does that');
}
prepare('manual', nothing => 1);
$crm->local_has({ name => 'Ann', email => 'sent@example.com' });
lose('PUT', 'before', 0);
plans('not created', 'xero settle [1]');
ends('not created, planned', 'sent@example.com sent@example.com', 'GET PUT');
$crm->rows(q{UPDATE crm.contacts SET email = 'other@example.com'});
lose('POST', 'after', 0);
$crm->rows(q{UPDATE crm.contacts SET email = 'sent@example.com'});
plans('updated, and edited back', 'xero update [1]');
ends('updated, and edited back', 'sent@example.com sent@example.com', 'GET POST');

# ... and counts the calls of the run: what has ended already is not ended; what has
# failed goes alone; organisations have requests of their own.
sub plans_calls
{
	my ($case, $plan, $calls) = @_;
	plans($case, $plan);
	my $planned = $crm->rows(q{SELECT calls FROM xero_fdw.plan_sync('crm') WHERE action = 'total'});
	my $run = $crm->run('crm');
	is($run->{state}, 'done', "$case: the run") or diag($run->{text});
	is_deeply($run->{calls_by}, $calls, "$case: its calls") or diag(join("\n", @{ $run->{lines} }));
	is($planned, $run->{calls}, "$case: ... which the plan has told");
	return;
}
sub three
{
	prepare('newest', on_delete => 'archive', nothing => 1);
	$crm->local_has(map { { name => $_, email => 'old@example.com' } } qw(Ann Bob Eve));
	$crm->run('crm');
	return;
}
three();
$crm->rows(q{DELETE FROM crm.contacts WHERE name <> 'Eve'});
lose('POST', 'after', 0);
plans_calls('deleted', '', { GET => 1 });
is(join(' ', sort map { "$_->{Name} $_->{ContactStatus}" } values %{ $crm->xero }), 'Ann ARCHIVED Bob ARCHIVED Eve ACTIVE', '... is done already');
three();
$crm->xero_sets($_->{ContactID}, { ContactStatus => 'ARCHIVED' }) foreach grep { $_->{Name} eq 'Ann' } values %{ $crm->xero };
$crm->rows(q{DELETE FROM crm.contacts WHERE name <> 'Eve'});
plans_calls('deleted, and one ended at Xero', 'xero archive [2]', { GET => 1, POST => 1 });
three();
$crm->rows(q{DELETE FROM crm.contacts WHERE name <> 'Eve'});
lose('POST', 'before', 0);
plans_calls('not deleted', 'xero archive [1], xero archive [2]', { GET => 2, POST => 2 });
three();
$crm->rows(q{UPDATE crm.contacts SET email = 'sent@example.com'});
lose('POST', 'before', 0);
$crm->rows(q{UPDATE crm.contacts SET email = 'other@example.com'; INSERT INTO crm.contacts (name) SELECT 'New ' || g FROM generate_series(1, 60) AS g});
plans_calls('three not updated, sixty new', $crm->rows(q{SELECT string_agg(concat_ws(' ', 'xero', a, jsonb_build_array(id)), ', ' ORDER BY concat_ws(' ', 'xero', a, jsonb_build_array(id)))
	FROM crm.contacts, LATERAL (SELECT CASE WHEN xero_id IS NULL THEN 'create' ELSE 'update' END AS a) AS a}), { GET => 1, PUT => 3, POST => 3 });
$crm->clear(tenants => 2);
$crm->reconnect;
$crm->rows('ALTER TABLE crm.contacts ADD org uuid');
$crm->create('crm', match_on => ['name'], on_delete => 'archive', fields => { map({ $_ => XeroSync::fields()->{$_} } qw(xero_id name email)), org => 'tenant_id' });
my @tenants = split(/\n/, $crm->superuser->rows('SELECT tenant_id FROM xero.organisation ORDER BY 1'));
$crm->rows("INSERT INTO crm.contacts (name, org) SELECT n, o::uuid FROM unnest('{Ann,Bob}'::text[]) AS n, unnest('{$tenants[0],$tenants[1]}'::text[]) AS o");
plans_calls('two organisations, new', join(', ', map { "xero create [$_]" } 1 .. 4), { GET => 2, PUT => 2 });
$crm->rows(q{UPDATE crm.contacts SET email = 'new@example.com'});
plans_calls('two organisations, changed', join(', ', map { "xero update [$_]" } 1 .. 4), { GET => 2, POST => 2 });
$crm->rows('SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs; ALTER TABLE crm.contacts DROP COLUMN org');
$crm->clear(tenants => 1);
$crm->reconnect;

# Two of one name, one of which Xero refuses
prepare('manual', nothing => 1);
$crm->local_has({ name => 'Ann', email => 'not an address' }, { name => 'Ann', email => 'sent@example.com' });
lose('PUT', 'after', 400);
is($crm->run('crm')->{state}, 'done', 'namesakes, one of which is refused');
is($crm->rows('SELECT string_agg(id::text, $$ $$) FROM crm.contacts WHERE xero_id IS NOT NULL') . ' ' . issues(), '2 validation ', '... the other one has the record');

# An update whose answer was lost, and an edit at Xero: of another field
foreach my $conflict (qw(newest local manual))
{
	prepare($conflict);
	$crm->rows(q{UPDATE crm.contacts SET email = 'sent@example.com'});
	lose('POST', 'after', 0);
	$crm->xero_sets(id(), { CompanyNumber => '2' });
	ends("$conflict, update", 'sent@example.com sent@example.com', 'GET');
	is(only($crm->local)->{account}, '2', '... with what was edited');
}

# ... of one of the fields that were sent
foreach my $conflict (qw(local manual))
{
	prepare($conflict);
	$crm->rows(q{UPDATE crm.contacts SET email = 'sent@example.com', account = '2'});
	lose('POST', 'after', 400);
	$crm->xero_sets(id(), { EmailAddress => 'other@example.com' });
	ends("$conflict, update, edited", 'other@example.com other@example.com', 'GET');
}

# ... of the only one: what has become of the request nobody can tell
foreach my $case ([ 'xero', 'other@example.com other@example.com' ], [ 'local', 'sent@example.com sent@example.com' ],
	[ 'manual', 'sent@example.com other@example.com', 'conflict email' ])
{
	prepare($case->[0]);
	$crm->rows(q{UPDATE crm.contacts SET email = 'sent@example.com'});
	lose('POST', 'after', 0);
	$crm->xero_sets(id(), { EmailAddress => 'other@example.com' });
	ends("$case->[0], update, all edited", $case->[1], $case->[0] eq 'local' ? 'GET POST' : 'GET', $case->[2]);
}

# ... and an edit here is not lost to our own write
foreach my $conflict (qw(xero manual))
{
	prepare($conflict);
	$crm->rows(q{UPDATE crm.contacts SET email = 'sent@example.com'});
	lose('POST', 'after', 0);
	$crm->rows(q{UPDATE crm.contacts SET email = 'here@example.com'});
	ends("$conflict, update, edited here", 'here@example.com here@example.com', 'GET POST');
}

# ... or undone at Xero
prepare('manual');
$crm->rows(q{UPDATE crm.contacts SET email = 'sent@example.com', account = '2'});
lose('POST', 'after', 0);
$crm->xero_sets(id(), { EmailAddress => 'old@example.com' });
ends('undone', 'old@example.com old@example.com', 'GET');

# An update that was not carried out
foreach my $set ({}, { CompanyNumber => '2' })
{
	prepare('manual');
	$crm->rows(q{UPDATE crm.contacts SET email = 'sent@example.com'});
	lose('POST', 'before', 0);
	$crm->xero_sets(id(), $set) if %$set;
	ends('not updated', 'sent@example.com sent@example.com', 'GET POST');
	is(only($crm->local)->{account}, $set->{CompanyNumber} // '1', '... and what was edited is here');
}

# What Xero makes of values is no edit: no issue, and edits go on.
my $phones = '[{"PhoneType": "DEFAULT", "PhoneNumber": "123"}]';
$crm->rows('ALTER TABLE crm.contacts ADD phones jsonb');
my $fields = { %{ XeroSync::fields() }, phones => 'phones' };
foreach my $later (0, 400)
{
	prepare('manual', nothing => 1, fields => $fields);
	$sandbox->reset(seed => 1, contacts => 0, invoices => 0, limits => JSON::PP::false, strict => JSON::PP::true, quirks => ['trimmed-names']);
	$crm->rows("INSERT INTO crm.contacts (name, email, account, phones) VALUES (' Ann ', 'sent\@example.com', '', '$phones')");
	lose('PUT', 'after', $later);
	$crm->rows(q{UPDATE crm.contacts SET phones = '[{"PhoneType": "DEFAULT", "PhoneNumber": "456"}]', name = ' Anne '});
	ends("normalised create, $later s later", 'sent@example.com sent@example.com', $later ? 'GET POST' : 'GET PUT POST');
	is(only($crm->local)->{name}, ' Anne ', '... the name stays');
	is((map { $_->{PhoneNumber} } grep { $_->{PhoneType} eq 'DEFAULT' } @{ only($crm->xero)->{Phones} })[0], '456', '... and the number goes there');
}
$crm->rows(q{UPDATE crm.contacts SET name = ' Anne B ', phones = '[{"PhoneType": "DEFAULT", "PhoneNumber": "789"}]'});
lose('POST', 'after', 0);
$crm->rows(q{UPDATE crm.contacts SET phones = '[{"PhoneType": "DEFAULT", "PhoneNumber": "1011"}]', name = ' Anne C '});
ends('normalised update', 'sent@example.com sent@example.com', 'GET POST');
$crm->rows(q{UPDATE crm.contacts SET phones = '[{"PhoneType": "DEFAULT", "PhoneNumber": "1213"}]', first = 'A'});
lose('POST', 'after', 0);
$sandbox->change(object => 'Contacts', id => id(), set => { Phones => [ { PhoneType => 'DEFAULT', PhoneNumber => '1213' }, { PhoneType => 'MOBILE', PhoneNumber => '5' } ] });
ends('a number was added', 'sent@example.com sent@example.com', 'GET');
like(only($crm->local)->{phones}[1]{PhoneNumber}, qr/5/, '... and comes');

# A filter that hides the record
foreach my $method (qw(PUT POST))
{
	prepare('manual', nothing => 1, xero_filter => q{email_address <> 'hidden@example.com'});
	$crm->local_has({ name => 'Ann', email => $method eq 'PUT' ? 'hidden@example.com' : 'shown@example.com' });
	if ($method eq 'POST')
	{
		$crm->run('crm');
		$crm->rows(q{UPDATE crm.contacts SET email = 'hidden@example.com', account = '2'});
	}
	lose($method, 'after', 400);
	$crm->xero_sets(id(), { CompanyNumber => '3' });
	ends("hidden $method", 'hidden@example.com hidden@example.com', 'GET GET');
	is(only($crm->local)->{account}, '3', '... and comes with what was edited');
}

# A column that one field writes and another one reads
$crm->rows('ALTER TABLE crm.contacts ADD domain text');
$fields = { %{ XeroSync::fields() }, domain => { to_local => q{split_part(email_address, '@', 2)} } };
prepare('manual', nothing => 1, fields => $fields);
$crm->local_has({ name => 'Ann', email => 'a@one.example' });
$crm->run('crm');
is(only($crm->local)->{domain}, 'one.example', 'what is computed of a column that was created');
$crm->rows(q{UPDATE crm.contacts SET email = 'a@two.example'});
my $run = $crm->run('crm');
is(only($crm->local)->{domain}, 'two.example', '... or changed here');
is_deeply($run->{calls_by}, { GET => 1, POST => 1 }, '... at the cost of no call');
$crm->rows(q{UPDATE crm.contacts SET email = 'a@three.example'});
lose('POST', 'after', 0);
ends('a column that is read twice', 'a@three.example a@three.example', 'GET');
is(only($crm->local)->{domain}, 'three.example', '... or found');

# The end of a record
foreach my $case ([ 'after', {}, 'ARCHIVED', 'GET' ], [ 'before', {}, 'ARCHIVED', 'GET GET POST' ],
	[ 'after', { ContactStatus => 'ACTIVE' }, 'ACTIVE', 'GET GET', 'missing ' ], [ 'before', { CompanyNumber => '2' }, 'ACTIVE', 'GET', 'missing ' ],
	[ 'before', { ContactStatus => 'ARCHIVED' }, 'ARCHIVED', 'GET' ])
{
	my ($drop, $set, $status, $calls, $issues) = @$case;
	my $name = "archive lost $drop, " . (join(' ', %$set) || 'no edit');
	prepare('manual', on_delete => 'archive');
	$crm->rows('DELETE FROM crm.contacts');
	lose('POST', $drop, 0);
	$crm->xero_sets(id(), $set) if %$set;
	$run = $crm->run('crm');
	is($run->{state}, 'done', "$name: the next run") or diag($run->{text});
	is(only($crm->xero)->{ContactStatus}, $status, "$name: its status");
	is(join(' ', map { (split / /)[0] } @{ $run->{lines} }), $calls, "$name: calls");
	is(issues(), $issues // '', "$name: issues");
	is_deeply($crm->run('crm')->{calls_by}, { GET => 1 }, "$name: then all is quiet");
	is($crm->rows('SELECT count(*) FROM crm.contacts'), 0, "$name: the row stays away");
}

# A record that has ended at Xero need not be ended.
prepare('manual', on_delete => 'archive');
$crm->rows('DELETE FROM crm.contacts');
$crm->xero_sets(id(), { ContactStatus => 'ARCHIVED' });
$run = $crm->run('crm');
is_deeply($run->{calls_by}, { GET => 1 }, 'ended on both sides');
is(issues(), '', '... is no issue');

# Documents: what Xero makes of amounts and lines is no edit.
prepare('manual', nothing => 1);
my ($buyer) = $crm->xero_has({ Name => 'Buyer' });
my $bank = $crm->superuser->rows(q{GRANT SELECT, INSERT, UPDATE, DELETE ON xero.invoices, xero.payments TO books;
	SELECT account_id FROM xero.accounts WHERE type = 'BANK' AND status = 'ACTIVE' ORDER BY code LIMIT 1});
$crm->rows(q{SELECT xero_fdw.drop_sync('crm');
	CREATE TABLE crm.invoices (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, xero_id uuid, ref text, due date, lines jsonb, total numeric, number text);
	CREATE TABLE crm.payments (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, xero_id uuid, invoice uuid, amount numeric, ref text)});
$crm->create('invoices', xero_table => 'xero.invoices', local_table => 'crm.invoices', match_on => ['ref'], conflict => 'manual', fields => {
	xero_id => 'invoice_id', ref => 'reference', due => 'due_date', lines => 'line_items',
	total => { xero => 'total', direction => 'to_local' }, number => { xero => 'invoice_number', direction => 'to_local' },
	contact => { xero => 'contact_id', to_xero => "uuid '$buyer'" }, type => { xero => 'type', to_xero => q{'ACCREC'} },
	day => { xero => 'date', to_xero => q{date '2026-01-05'} }, status => { xero => 'status', to_xero => q{'AUTHORISED'} } });
$crm->create('payments', xero_table => 'xero.payments', local_table => 'crm.payments', conflict => 'manual', fields => {
	xero_id => 'payment_id', invoice => 'invoice_id', amount => 'amount', ref => 'reference',
	day => { xero => 'date', to_xero => q{date '2026-01-06'} },
	account => { xero => 'account_id', to_xero => "uuid '$bank'" } });

# Such a run of a sync of documents, and the next one, with what its calls were.
sub document
{
	my ($sync, $object, $method, $later, $edit) = @_;
	$sandbox->faults({ path => "/api.xro/2.0/$object", method => $method, status => 302, worked => 1 });
	my $run = $crm->run($sync);
	is($run->{state}, 'paused', "$object, $method lost") or diag($run->{text});
	$sandbox->faults;
	later($later) if $later;
	$edit->();
	$run = $crm->run($sync);
	is($run->{state}, 'done', "$object, $method, $later s later") or diag($run->{text});
	is(issues(), '', '... no issue');
	is(scalar(@{ $sandbox->state($object) }), 1, '... one record');
	is(join(' ', sort keys %{ $crm->run($sync)->{calls_by} }), 'GET', '... then all is quiet');
	return join(' ', map { (split / /)[0] } @{ $run->{lines} });
}

my $line = '{"Description": "Work", "Quantity": 3, "UnitAmount": 3.33335, "AccountCode": "200"}';
$crm->rows("INSERT INTO crm.invoices (ref, due, lines) VALUES ('R 1', '2026-02-01', '[$line]')");
is(document('invoices', 'Invoices', 'PUT', 400, sub {
	$sandbox->change(object => 'Invoices', id => $sandbox->state('Invoices')->[0]{InvoiceID}, set => { DueDate => '/Date(1772323200000+0000)/' }) }), 'GET', 'an invoice is found');
is($crm->rows('SELECT due, number IS NOT NULL, total IS NOT NULL FROM crm.invoices'), '2026-03-01|t|t', '... and what was edited comes');
$crm->rows(q{UPDATE crm.invoices SET lines = jsonb_set(lines, '{0,Description}', '"More"'), ref = 'R 2'});
is(document('invoices', 'Invoices', 'POST', 0, sub { $crm->rows(q{UPDATE crm.invoices SET lines = jsonb_set(lines, '{0,Description}', '"Most"')}) }), 'GET POST', 'lines are found');
is($sandbox->state('Invoices')->[0]{LineItems}[0]{Description}, 'Most', '... and those that were edited here go there');
foreach my $later (0, 400)
{
	$crm->rows('DELETE FROM crm.payments');
	$sandbox->change(object => 'Payments', id => $_->{PaymentID}, delete => JSON::PP::true) foreach @{ $sandbox->state('Payments') };
	$crm->run('payments');
	$crm->rows(q{INSERT INTO crm.payments (invoice, amount, ref) SELECT xero_id, 1.004, 'P 1' FROM crm.invoices});
	is(document('payments', 'Payments', 'PUT', $later, sub { }), $later ? 'GET' : 'GET PUT', 'a payment is made once');
	is($crm->rows('SELECT xero_id IS NOT NULL FROM crm.payments'), 't', '... and known');
}
$crm->rows('SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs');

# What Xero deletes is not there any more, whoever has done it.
$crm->superuser->rows('GRANT SELECT, INSERT, UPDATE, DELETE ON xero.items TO books');
$crm->rows(q{CREATE TABLE crm.items (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, code text, description text);
	INSERT INTO crm.items (code) VALUES ('Lost'), ('Theirs')});
$crm->create('items', xero_table => 'xero.items', local_table => 'crm.items', match_on => ['code'], on_delete => 'archive', fields => { code => 'code' });
$crm->run('items');
$crm->rows(q{DELETE FROM crm.items WHERE code = 'Lost'});
$sandbox->faults({ path => '/api.xro/2.0/Items/*', method => 'DELETE', status => 302, worked => 1 });
is($crm->run('items')->{state}, 'paused', 'a DELETE lost');
$sandbox->faults;
$sandbox->change(object => 'Items', id => $_->{ItemID}, delete => JSON::PP::true) foreach grep { $_->{Code} eq 'Theirs' } @{ $sandbox->state('Items') };
$crm->rows(q{DELETE FROM crm.items WHERE code = 'Theirs'});
$run = $crm->run('items');
is($run->{state} . $run->{calls_by}{DELETE}, 'done2', '... is sent again, as is one of a record that somebody else has deleted');
is(issues(), '', '... which is no issue');
is_deeply($crm->run('items')->{calls_by}, { GET => 1 }, '... then all is quiet');
$crm->rows('SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs');

# The session ends between the answer and the COMMIT.
$crm->superuser->rows(q{CREATE FUNCTION crm.die() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN OLD; END $$});
foreach my $later (0, 400)
{
	foreach my $method (qw(PUT POST))
	{
		prepare('xero', nothing => $method eq 'PUT');
		$crm->local_has({ name => 'Ann', email => 'sent@example.com' }) if $method eq 'PUT';
		$crm->rows(q{UPDATE crm.contacts SET email = 'sent@example.com'});
		$crm->superuser->rows('CREATE TRIGGER die BEFORE DELETE ON xero_fdw.sync_intent FOR EACH ROW WHEN (old.idempotency_key IS NOT NULL) EXECUTE FUNCTION crm.die()');
		my $mark = $sandbox->mark;
		$crm->session->try(q{CALL xero_fdw.run_sync('crm')});
		$crm->superuser->rows('DROP TRIGGER die ON xero_fdw.sync_intent');
		$crm->reconnect;
		later($later) if $later;
		$crm->rows(q{UPDATE crm.contacts SET email = 'here@example.com'});
		is($crm->rows(q{SELECT state FROM xero_fdw.sync_runs ORDER BY started_at DESC LIMIT 1}), 'crashed', "$method, a session that dies");
		ends("$method, dead, $later s later", 'here@example.com here@example.com', $method eq 'PUT' && !$later ? 'GET PUT POST' : 'GET POST');
	}
}

# The same with the deletion of an item, which nobody would see any more: a row that
# comes before the next run has a record of its own.
$crm->clear;
$crm->rows('TRUNCATE crm.items');
$crm->create('items', xero_table => 'xero.items', local_table => 'crm.items', match_on => ['code'], on_delete => 'archive', fields => { code => 'code' });
$crm->run('items');
$crm->rows(q{INSERT INTO crm.items (code) VALUES ('again'), ('stays')});
$crm->run('items');
$crm->rows(q{DELETE FROM crm.items WHERE code = 'again'});
$crm->superuser->rows('CREATE TRIGGER die BEFORE DELETE ON xero_fdw.sync_intent FOR EACH ROW WHEN (old.idempotency_key IS NOT NULL) EXECUTE FUNCTION crm.die()');
$crm->session->try(q{CALL xero_fdw.run_sync('items')});
$crm->superuser->rows('DROP TRIGGER die ON xero_fdw.sync_intent');
$crm->reconnect;
is(scalar(grep { $_->{Code} eq 'again' } @{ $sandbox->state('Items') }), 0, 'a deletion of an item, and a session that dies');
$crm->rows(q{INSERT INTO crm.items (code) VALUES ('again')});
$crm->run('items');
is(scalar(grep { $_->{Code} eq 'again' } @{ $sandbox->state('Items') }), 1, '... a row that says the same has a record of its own');
$crm->rows('SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs');

# A record that was known before is not what has become of a row.
$crm->rows(q{TRUNCATE crm.items; INSERT INTO crm.items (code) VALUES ('twin'), ('twin')});
$crm->create('items', xero_table => 'xero.items', local_table => 'crm.items', match_on => ['code'], initial => 'xero_to_local', fields => { code => 'code', description => 'description' });
$crm->run('items');
$sandbox->change(object => 'Items', create => { Code => 'twin' });
$crm->run('items');
$crm->rows(q{UPDATE crm.items SET description = 'here' WHERE id = (SELECT min(id) FROM crm.items WHERE code = 'twin'); INSERT INTO crm.items (code) VALUES ('other')});
$sandbox->faults({ path => '/api.xro/2.0/Items', holding => '"here"', status => 500, body => '{"Message": "x"}', times => 100 });
$crm->run('items');
$sandbox->faults;
is($crm->superuser->rows(q{SELECT count(*) FROM xero_fdw.sync_link AS k JOIN crm.items AS i ON k.local_key = jsonb_build_array(i.id) WHERE i.code = 'twin' AND k.xero_id IS NOT NULL}), 0, 'a record of that code, for which two rows wait, is not what Xero has made of one');

# A name that is given up by a change of which only reading tells that it was stored
$crm->clear;
$crm->local_has({ name => 'Ann' });
$crm->create('crm', match_on => ['name']);
$crm->run('crm');
$crm->rows(q{INSERT INTO crm.contacts (name) VALUES ('ANN')});
$crm->run('crm');
is(issues(), 'validation ', 'a name that is taken');
$crm->rows(q{UPDATE crm.contacts SET name = 'Zoe' WHERE id = 1; INSERT INTO crm.contacts (name) VALUES ('Bob')});
$sandbox->faults({ path => $path, method => 'POST', status => 500, body => '{"Message": "x"}', worked => 1, times => 20 });
$crm->run('crm');
$sandbox->faults;
$crm->run('crm');
is(join(' ', sort map { $_->{Name} } values %{ $crm->xero }) . issues(), 'ANN Bob Zoe', '... is free when reading shows that it was given up');

# A create without an answer, whose row is deleted: a record that somebody else makes does not end.
foreach my $later (0, 400)
{
	prepare('xero', nothing => 1, on_delete => 'archive');
	$crm->local_has({ name => 'Ann', email => 'sent@example.com' });
	lose('PUT', 'before', $later);
	$crm->rows('DELETE FROM crm.contacts');
	$sandbox->change(object => 'Contacts', create => { Name => 'Ann', EmailAddress => 'theirs@example.com', ContactStatus => 'ACTIVE' });
	$crm->run('crm') for 1 .. 2;
	is(only($crm->xero)->{ContactStatus} . ' ' . (only($crm->local)->{email} // 'none'), 'ACTIVE theirs@example.com', "a record of the same name as a row that was deleted, $later s later: comes here");
}

# Two that say the same, of which Xero has stored both, but says that it has failed: each
# gets its own record, though Xero has given something where the rows have nothing.
$crm->clear;
$crm->local_has(map { { name => $_, email => 's@example.com' } } qw(Ann Bob));
$crm->create('crm', match_on => ['email'], fields => { %{ XeroSync::fields() }, status => 'contact_status' });
$sandbox->faults({ path => $path, method => 'PUT', status => 500, body => '{"Message": "x"}', worked => 1, times => 20 });
$crm->run('crm');
$sandbox->faults;
$crm->run('crm') for 1 .. 2;
is($crm->rows(q{SELECT string_agg(r.name || c.name || r.status, ' ' ORDER BY r.name) FROM crm.contacts AS r JOIN xero.contacts AS c ON c.contact_id = r.xero_id}) . issues(),
	'AnnAnnACTIVE BobBobACTIVE', 'two namesakes that were stored have their own records');
is(scalar(keys %{ $crm->xero }), 2, '... and none is there twice');

# A row that is inserted again after its record has ended is another one, also if the
# answer to that was lost; if it has not ended, it is the same.
foreach my $case ([ after => 2, 'ACTIVE ARCHIVED' ], [ before => 1, 'ACTIVE' ])
{
	my ($drop, $records, $states) = @$case;
	$crm->clear;
	$crm->local_has({ name => 'Ann' });
	$crm->create('crm', match_on => ['name'], on_delete => 'archive');
	$crm->run('crm');
	$crm->rows('DELETE FROM crm.contacts');
	$sandbox->faults({ path => $path, method => 'POST', drop => $drop, times => 20 });
	is($crm->run('crm')->{state}, 'paused', "a deletion is sent, and lost $drop it was stored");
	$sandbox->faults;
	$crm->superuser->rows(q{SELECT xero_fdw.clear_block('xero')});
	$crm->local_has({ name => 'Ann' });
	$crm->run('crm') for 1 .. 2;
	is(join(' ', sort map { $_->{ContactStatus} } values %{ $crm->xero }), $states, '... the records');
	is($crm->rows(q{SELECT count(*) FROM crm.contacts AS r JOIN xero.contacts AS c ON c.contact_id = r.xero_id AND c.contact_status = 'ACTIVE'}) . issues(),
		'1', '... and the row has the one that lives');
}

# A record that has the row's name is not the row, if match_on says something else.
my $namesake = { Name => 'Ann', EmailAddress => 'old@example.com', CompanyNumber => 'supplier' };
my $hides = q{company_number IS DISTINCT FROM 'supplier'};
sub both_emails { return contact_of('Ann')->{EmailAddress} . ' ' . $crm->rows('SELECT email FROM crm.contacts WHERE id = 1'); }
sub contact_of { my ($name) = @_; return (grep { $_->{Name} eq $name } values %{ $crm->xero })[0]; }
foreach my $case ([ 'no match_on, push', direction => 'push' ], [ 'push', direction => 'push', match_on => ['email'] ],
	[ 'both, local_to_xero', initial => 'local_to_xero', conflict => 'xero', match_on => ['email'] ],
	[ 'both, outside the filter', xero_filter => $hides, match_on => ['email'] ])
{
	my ($name, %option) = @$case;
	$crm->clear;
	$crm->xero_has($namesake);
	$crm->local_has({ name => 'Ann', email => 'other@example.com', account => 'customer' });
	$crm->create('crm', %option);
	$crm->run('crm');
	is(both_emails(), 'old@example.com other@example.com', "a name that is taken, $name: neither side is overwritten");
	is($crm->rows('SELECT kind, local_key, sqlstate FROM xero_fdw.sync_issues'), 'validation|[1]|23505', '... and the row is an issue');
	like($crm->rows('SELECT message FROM xero_fdw.sync_issues'), qr/already assigned to another contact/, '... with what Xero says');
	is_deeply($crm->run('crm')->{calls_by}, { GET => 1 }, '... that is not sent again');
}

# If match_on agrees, they belong together, as "initial" says.
foreach my $case ([ merge => 'other@example.com other@example.com' ], [ local_to_xero => 'other@example.com other@example.com' ],
	[ xero_to_local => 'old@example.com old@example.com' ], [ new_only => 'old@example.com other@example.com' ])
{
	my ($initial, $emails) = @$case;
	$crm->clear;
	$crm->xero_has($namesake);
	$crm->create('crm', match_on => ['name'], initial => $initial, conflict => $initial eq 'merge' ? 'local' : 'xero', xero_filter => $hides);
	$crm->run('crm') if $initial =~ /only|to_local/;		# which create nothing in the first run
	$crm->local_has({ name => 'Ann', email => 'other@example.com', account => 'customer' });
	is($crm->run('crm')->{state}, 'done', "a record that the filter hides, $initial");
	is(both_emails() . issues(), $emails, '... what both sides say');
	is($crm->rows('SELECT xero_id FROM crm.contacts'), lc(contact_of('Ann')->{ContactID}), '... the row has its id');
}

$crm->quit;
done_testing();
