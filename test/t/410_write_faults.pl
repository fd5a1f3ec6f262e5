# Faults at every point of a write: afterwards, and after the recovery that
# doc/writing.md describes, each record is in the sandbox exactly once.
#
# Manual journals have nothing that is unique, so Xero itself would not notice
# one that is written twice.
use strict;
use warnings;

use HTTP::Tiny;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep);
use XeroSession;
use XeroTest;
use XeroWire;

my $xero = XeroTest->new(
	conf => 'restart_after_crash = on',
	sandbox => [ '--seed', 1, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000, request_timeout => 1500 });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $path = '/api.xro/2.0/ManualJournals';
my $lines = q{'[{"LineAmount": 1, "AccountCode": "200"}, {"LineAmount": -1, "AccountCode": "429"}]'::jsonb};

sub insert_into
{
	my ($case) = @_;
	return "INSERT INTO xero.manual_journals (narration, date, journal_lines)\n"
	  . "SELECT '$case ' || n, date '2026-01-05', $lines FROM generate_series(1, 120) AS n";
}

sub times_stored
{
	my ($pattern) = @_;
	my %count;
	$count{ $_->{Narration} }++ foreach grep { $_->{Narration} =~ $pattern } @{ $sandbox->state('ManualJournals') };
	return \%count;
}

# All 120 of a case, each once
sub is_once
{
	my ($case) = @_;
	my $count = times_stored(qr/^\Q$case\E \d+$/);
	is(scalar(keys %$count), 120, "$case: all are there");
	is(scalar(grep { $_ > 1 } values %$count), 0, "$case: and none twice");
	return;
}

# What a fault in the second of three requests does to the statement.
sub suffers
{
	my ($case, $fault, $state, $calls) = @_;
	my $mark = $sandbox->mark;
	$sandbox->faults({ path => $path, method => 'PUT', after => 1, times => 1, %$fault });
	my $result = $session->try(insert_into($case));
	is($result->{state}, $state, "$case: SQLSTATE") or diag($result->{text});
	my @puts = grep { $_->{method} eq 'PUT' } $sandbox->log($mark);

	is(scalar(@puts), $calls, "$case: calls");
	my %keys;
	foreach my $call (@puts)
	{
		my ($name) = grep { lc($_) eq 'idempotency-key' } keys %{ $call->{headers} };
		$keys{ $call->{headers}{$name} }++;
	}
	is(scalar(grep { $_ == 1 } values %keys), $state eq '00000' ? ($calls == 3 ? 3 : 2) : 1, "$case: a retry has the key of the first attempt");
	$sandbox->faults;
	recover($case, $result) if $state ne '00000';
	is_once($case);
	return;
}

# After an unknown outcome: look what is there, and write the rest.
sub recover
{
	my ($case, $result) = @_;
	like($result->{text}, qr/outcome of a write to Xero is unknown for server "xero"\n/, "$case: what the error says");
	like($result->{text}, qr/DETAIL:  PUT \Q$path\E \(row 51, narration "\Q$case\E 51"; .*; and 40 more\) with idempotency key [0-9a-f-]{36} was sent/, "$case: which rows, which key");
	like($result->{text}, qr/CONTEXT:  written by this statement already, and not undone by ROLLBACK: 50 inserted/, "$case: what was written before");
	my ($key) = $result->{text} =~ /idempotency key ([0-9a-f-]{36})/;
	like($session->rows(qq{SELECT string_agg(error, ';') FROM xero_fdw.requests WHERE error LIKE '%$key%'}), qr/outcome unknown/, "$case: the view of requests has it");
	my $again = $session->try(insert_into($case) . "\nWHERE '$case ' || n NOT IN (SELECT narration FROM xero.manual_journals WHERE narration LIKE '$case %')");
	is($again->{state}, '00000', "$case: the rest") or diag($again->{text});
	return;
}

suffers('dropped before', { drop => 'before' }, '00000', 4);
suffers('dropped after', { drop => 'after' }, '00000', 4);
suffers('truncated', { truncate => 300 }, '00000', 4);
suffers('garbage', { garbage => 1, worked => 1 }, '00000', 4);
suffers('too late', { delay_ms => 3000 }, '00000', 4);
suffers('minute limit', { problem => 'minute', retry_after => 1 }, '00000', 4);
suffers('server error', { status => 500, body => '{"Message": "x"}' }, '00000', 4);
suffers('server error, stored', { status => 500, body => '{"Message": "x"}', worked => 1 }, '00000', 4);
suffers('gateway', { status => 503, body => 'x' }, '00000', 4);
suffers('gateway, stored', { status => 503, body => 'x', worked => 1 }, '00000', 4);
suffers('kept error', { status => 500, body => '{"Message": "x"}', kept => 1 }, '08007', 3);
suffers('kept error, stored', { status => 500, body => '{"Message": "x"}', worked => 1, kept => 1 }, '08007', 3);
suffers('always dropped after', { drop => 'after', times => 9 }, '08007', 6);
suffers('always dropped before', { drop => 'before', times => 9 }, '08007', 6);
suffers('always garbage', { garbage => 1, worked => 1, times => 9 }, '08007', 4);

# Nothing was sent: no doubt
$sandbox->faults({ path => $path, method => 'PUT', status => 403, body => '{"Title": "Forbidden"}' });
my $result = $session->try(insert_into('forbidden'));
is($result->{state}, '42501', 'a write that is not allowed is not in doubt');
unlike($result->{text}, qr/unknown/, '... and the error does not say so');
$sandbox->faults;
is_deeply(times_stored(qr/^forbidden/), {}, '... nothing is there');

# Cancel, and the end of the backend, in the middle

$sandbox->faults({ path => $path, method => 'PUT', after => 1, times => 1, delay_ms => 2000 });
$session->start(insert_into('cancelled'));
wait_for_second();
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $session->pid . ')');
$result = $session->wait;
is($result->{state}, '57014', 'a cancelled write');
like($result->{text}, qr/A write may have been carried out whose answer was not read: PUT \Q$path\E with idempotency key [0-9a-f-]{36}\./, '... says that its outcome is unknown');
sleep(2.5);
$sandbox->faults;
my $again = $session->try(insert_into('cancelled') . qq{\nWHERE 'cancelled ' || n NOT IN (SELECT narration FROM xero.manual_journals WHERE narration LIKE 'cancelled %')});
is($again->{state}, '00000', '... the rest') or diag($again->{text});
is_once('cancelled');

# ... which is told to the log where there is nobody else; also of a statement
# inside of a function, and of one that waits for Xero to come back
foreach my $case (
	[ 'terminated', 'network', { delay_ms => 5000 }, insert_into('terminated') ],
	[ 'terminated inside', 'network', { delay_ms => 5000 }, 'DO $do$ BEGIN ' . insert_into('terminated inside') . '; END $do$' ],
	[ 'terminated meanwhile', 'retry', { status => 503, headers => { 'Retry-After' => 60 } }, insert_into('terminated meanwhile') ])
{
	my ($name, $waiting_for, $fault, $statement) = @$case;
	my $offset = -s $node->logfile;
	my $ended = XeroSession->new($node);
	$sandbox->faults({ path => $path, method => 'PUT', after => 1, times => 1, %$fault });
	$ended->start($statement);
	wait_for_second($waiting_for);
	$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . $ended->pid . ', 10000)');
	$ended->wait;
	$sandbox->faults;
	my $log = substr(slurp_file($node->logfile), $offset);
	like($log, qr/WARNING:  [^\n]*rollback does not undo what was written to Xero\n.*DETAIL:  50 inserted into .*A write may have been carried out whose answer was not read: PUT \Q$path\E with idempotency key [0-9a-f-]{36}\./s, "$name: the log says that its outcome is unknown");
}

$sandbox->faults({ path => $path, method => 'PUT', after => 1, times => 1, delay_ms => 1000 });
my $doomed = XeroSession->new($node);
$doomed->start(insert_into('killed'));
wait_for_second();
$xero->crash($doomed->pid);
$doomed->wait;
sleep(1.5);
$sandbox->faults;
$session->quit;
$session = XeroSession->new($node);
$again = $session->try(insert_into('killed') . qq{\nWHERE 'killed ' || n NOT IN (SELECT narration FROM xero.manual_journals WHERE narration LIKE 'killed %')});
is($again->{state}, '00000', 'after a crash: the rest') or diag($again->{text});
is_once('killed');

# DELETE has no key, but is the same when done twice
$session->rows(q{INSERT INTO xero.items (code) SELECT 'GONE' || n FROM generate_series(1, 4) AS n});
foreach my $fault ({ drop => 'after' }, { drop => 'before' }, { status => 503, body => 'x', worked => 1 }, { truncate => 10 })
{
	$sandbox->faults({ path => '/api.xro/2.0/Items*', method => 'DELETE', times => 1, %$fault });
	$result = $session->try(q{DELETE FROM xero.items WHERE code = (SELECT min(code) FROM xero.items WHERE code LIKE 'GONE%')});
	is($result->{state}, '00000', 'DELETE, ' . join(' ', %$fault)) or diag($result->{text});
}
$sandbox->faults;
is($session->rows(q{SELECT count(*) FROM xero.items WHERE code LIKE 'GONE%'}), 0, '... all are gone');

$session->rows(q{INSERT INTO xero.items (code) VALUES ('GONE 5')});
$sandbox->faults({ path => '/api.xro/2.0/Items*', method => 'DELETE', delay_ms => 1000 });
$result = $session->try(q{SET statement_timeout = '300ms'; DELETE FROM xero.items WHERE code = 'GONE 5'});
like($result->{text}, qr{may have been carried out whose answer was not read: DELETE /api.xro/2.0/Items/[0-9a-f-]{36}\.$}m, 'a DELETE that is given up is named by its path, as it has no key');
$session->rows('RESET statement_timeout');
$sandbox->faults;

# A connection that is kept from an earlier call is closed when the next one has
# been carried out.  libcurl would take that for a connection that was dead
# before, and send the request again by itself: no attempt may be made but ours.
foreach my $method (qw(PUT DELETE))
{
	my ($object, $sql, $make) = $method eq 'PUT'
	  ? ('ManualJournals', "INSERT INTO xero.manual_journals (narration, date, journal_lines) VALUES ('dead', '2026-01-05', $lines)")
	  : ('Items', q{DELETE FROM xero.items WHERE code = 'DEAD'}, q{INSERT INTO xero.items (code) VALUES ('DEAD')});
	$session->rows($make) if $make;
	$session->rows('SELECT count(*) FROM xero.accounts');
	my $mark = $sandbox->mark;
	$sandbox->faults({ path => "/api.xro/2.0/$object*", method => $method, drop => 'after', times => 2 });
	my $result = $session->try("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) $sql");
	$sandbox->faults;
	is($result->{state}, '00000', "$method on connections that die twice") or diag($result->{text});
	like($result->{rows}, qr/Xero Actual Calls: 3\n.*Xero Retries: 2/s, '... takes three attempts');
	is(scalar(grep { $_->{method} eq $method } $sandbox->log($mark)), 3, '... of which Xero sees no more');
}
is(times_stored(qr/^dead$/)->{dead}, 1, '... and stores one record');

# The connection breaks in the middle of a request's body: a server in between
# that takes so much of the first, and passes on the others.
{
	my $marks = PostgreSQL::Test::Utils::tempdir() . '/broken';
	my $target = $sandbox->url;
	my $wire = XeroWire->new(sub {
		my ($socket, $head) = @_;
		my ($line, $rest) = split(/\r\n/, $head, 2);
		my ($method, $path) = split(/ /, $line);
		my ($fields, $body) = split(/\r\n\r\n/, $rest, 2);
		my %headers = map { /^([^:]+): (.*)$/ && lc($1) !~ /^(host|content-length|expect|accept-encoding|connection)$/ ? ($1 => $2) : () } split(/\r\n/, $fields);
		my ($length) = $fields =~ /^content-length: (\d+)/mi;
		if ($method eq 'PUT' && !-e $marks)
		{
			append_to_file($marks, 'x');
			sysread($socket, $body, 1000, length $body);
			setsockopt($socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));    # a reset
			return;
		}
		print $socket "HTTP/1.1 100 Continue\r\n\r\n" if $fields =~ /^expect:/mi;
		while ($length && length($body) < $length) { sysread($socket, $body, 65536, length $body) or return; }
		my $answer = HTTP::Tiny->new->request($method, $target . $path, { headers => \%headers, ($length ? (content => $body) : ()) });
		print $socket "HTTP/1.1 $answer->{status} x\r\nContent-Type: application/json\r\nContent-Length: ", length $answer->{content}, "\r\nConnection: close\r\n\r\n", $answer->{content};
	});
	$session->rows(q{ALTER SERVER xero OPTIONS (SET api_url '} . $wire->url . q{')});
	my $mark = $sandbox->mark;
	my $result = $session->try("INSERT INTO xero.manual_journals (narration, date, journal_lines) SELECT 'cut ' || n || repeat('x', 20000), '2026-01-05', $lines FROM generate_series(1, 50) AS n");
	is($result->{state}, '00000', 'a connection that breaks within a body of 1 MB') or diag($result->{text});
	is(scalar(() = $wire->heads =~ m{PUT /api}g), 2, '... takes two attempts');
	is(scalar(grep { $_->{method} eq 'PUT' } $sandbox->log($mark)), 1, '... of which Xero sees the second');
	is(scalar(grep { $_ == 1 } values %{ times_stored(qr/^cut /) }), 50, '... and stores each record once');
	my %keys = map { lc($_) => 1 } $wire->heads =~ /^idempotency-key: (\S+)/mgi;
	is(scalar(keys %keys), 1, '... both with the same key');
	$session->rows(q{ALTER SERVER xero OPTIONS (SET api_url '} . $sandbox->url . q{')});
}

# An update that is in doubt leads to the same record
$sandbox->faults({ path => $path, method => 'POST', drop => 'after', times => 1 });
$result = $session->try(q{UPDATE xero.manual_journals SET url = 'https://example.com/1' WHERE narration LIKE 'dropped after %'});
is($result->{state}, '00000', 'UPDATE whose answer was lost') or diag($result->{text});
is(scalar(grep { ($_->{Url} // '') eq 'https://example.com/1' } @{ $sandbox->state('ManualJournals') }), 120, '... is done');
$sandbox->faults;

# Bad answers
sub answered
{
	my ($name, $body, $state, $text) = @_;
	$sandbox->faults({ path => $path, method => 'PUT', status => 200, body => $body });
	my $answer = $session->try(q{INSERT INTO xero.manual_journals (narration, date, journal_lines) VALUES ('answered', '2026-01-05', } . "$lines)");
	is($answer->{state}, $state, $name) or diag($answer->{text});
	like($answer->{text}, $text, "$name: message");
	$sandbox->faults;
	return;
}
my $id = '11111111-1111-1111-1111-111111111111';
my $stored = '"Narration":"answered","Date":"2026-01-05","JournalLines":[{"LineAmount":1,"AccountCode":"200"},{"LineAmount":-1,"AccountCode":"429"}]';
answered('a zero id', '{"ManualJournals":[{"ManualJournalID":"00000000-0000-0000-0000-000000000000","StatusAttributeString":"OK"}]}', '23514', qr/Xero did not store it, and gave no reason/);
answered('no id', '{"ManualJournals":[{"StatusAttributeString":"OK"}]}', '23514', qr/gave no reason/);
answered('a message in spite of the flags', qq({"ManualJournals":[{"ManualJournalID":"$id","StatusAttributeString":"OK","HasErrors":false,"ValidationErrors":[{"Message":"No!"}]}]}), '23514', qr/No!/);
answered('a message of characters that there are not', qq({"ManualJournals":[{"ManualJournalID":"$id","ValidationErrors":[{"Message":"No \\ud800way\\u0000"}]}]}), '23514', qr/was refused: No .*way\n/);
answered('messages below others', qq({"ManualJournals":[{"ManualJournalID":"$id","ValidationErrors":{"a":[1,{"reason":"One"}],"b":{"MESSAGE":"Two"}}}]}), '23514', qr/: One \| Two$/m);
answered('messages that are none', qq({"ManualJournals":[{"ManualJournalID":"$id",$stored,"ValidationErrors":[{"Message":""},{"Message":null},null,7],"Warnings":"x"}]}), '00000', qr/^$/);
answered('messages that cannot be read', qq({"ManualJournals":[{"ManualJournalID":"$id","ValidationErrors":) . '[' x 40 . ']' x 40 . '}]}', '23514', qr/Xero's reasons cannot be read/);
answered('an error without message', qq({"ManualJournals":[{"ManualJournalID":"$id","StatusAttributeString":"ERROR"}]}), '23514', qr/gave no reason/);
answered('too few elements', '{"ManualJournals":[]}', 'HV00L', qr/1 elements were sent, and the answer is about 0/);
answered('too many elements', qq({"ManualJournals":[{"ManualJournalID":"$id"},{"ManualJournalID":"$id"}]}), 'HV00L', qr/about 2/);
answered('a warning', qq({"ManualJournals":[{"ManualJournalID":"$id","StatusAttributeString":"WARNING","Warnings":[{"Message":"Careful"}]}]}), '00000', qr/WARNING:.*Xero warns about a row of foreign table "manual_journals": Careful/);

# ... of which nothing can be told: the record may be there all the same
foreach my $case ([ 'HV00L', '{"ManualJournals":[null]}' ], [ 'HV00L', '{"ManualJournals":[]}' ])
{
	my ($state, $body) = @$case;
	$sandbox->faults({ path => $path, method => 'PUT', status => 200, body => $body });
	my $answer = $session->try("INSERT INTO xero.manual_journals (narration, date, journal_lines) VALUES ('answered', '2026-01-05', $lines)");
	is($answer->{state}, $state, "an answer that makes no sense: $body") or diag($answer->{text});
	like($answer->{text}, qr/WARNING:.*\nDETAIL:  A write may have been carried out whose answer was not read: PUT \Q$path\E with idempotency key [0-9a-f-]{36}\.$/m, '... and which request it was about');
	$sandbox->faults;
}

# ... in another order, which would be told of the wrong rows
{
	my @ids = map { $_->{ManualJournalID} } grep { $_->{Narration} =~ /^truncated [12]$/ } @{ $sandbox->state('ManualJournals') };
	my $body = '{"ManualJournals":[' . join(',', map { qq({"ManualJournalID":"$_"}) } @ids[ 0, 1, 0 ]) . ']}';
	$sandbox->faults({ path => $path, method => 'POST', body => substr($body, 0, rindex($body, ',')) . ']}' });
	my $in_order = $session->try(q{UPDATE xero.manual_journals SET url = 'https://example.com/2' WHERE narration IN ('truncated 1', 'truncated 2')});
	$sandbox->faults({ path => $path, method => 'POST', body => '{"ManualJournals":[' . substr($body, index($body, ',') + 1) });
	my $other = $session->try(q{UPDATE xero.manual_journals SET url = 'https://example.com/2' WHERE narration IN ('truncated 1', 'truncated 2')});
	$sandbox->faults;
	is(join(' ', sort($in_order->{state}, $other->{state})), '00000 HV00L', 'an answer in another order than the request') or diag($in_order->{text}, $other->{text});
	like("$in_order->{text}$other->{text}", qr/DETAIL:  Element 1 was sent for ([0-9a-f-]{36}), and the answer has (?!\g1)[0-9a-f-]{36} in its place/, '... is not believed');
}

# The first request of the statement has been answered, the second is under way.
sub wait_for_second
{
	my ($what) = (@_, 'network');
	$node->poll_query_until('postgres', qq{SELECT count(*) FROM xero_fdw.progress WHERE phase = 'insert' AND waiting_for = '$what' AND pages_done = 1}, '1')
	  or die 'the second request did not come';
	return;
}

# The key's protection ends: no more attempts
$sandbox->faults({ path => $path, method => 'PUT', drop => 'after', times => 1 }, { path => $path, method => 'PUT', problem => 'day', retry_after => 400 });
$result = $session->try(q{SET xero_fdw.max_wait = '10min'; } . insert_into('late'));
is($result->{state}, '08007', 'a limit that lasts longer than the key') or diag($result->{text});
cmp_ok($result->{seconds}, '<', 60, '... is not waited for');
$sandbox->faults;

done_testing();
