# A two-way sync over many rounds of random edits on both sides, under each
# conflict policy, beside a model of what the policy promises.
#
# After every run each field of each person must be what the model says, on both
# sides; in the end nothing is left to do.  Each run makes the same edits, so that a
# change that fails is the change's fault; XERO_SYNC_SEED=random looks for others,
# and a number repeats what it has found.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSync;
use XeroTest;

my $seed = $ENV{XERO_SYNC_SEED} || 1;
$seed = time() ^ $$ if $seed eq 'random';
diag("XERO_SYNC_SEED=$seed");
srand($seed);

my $ROUNDS = 8;
my @FIELDS = qw(name email account first surname);
my %MEMBER = (name => 'Name', email => 'EmailAddress', account => 'CompanyNumber', first => 'FirstName', surname => 'LastName');

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 0, '--invoices', 0, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 });
my $crm = XeroSync->new($xero);
my $sandbox = $xero->sandbox;

# The model: people, each with its values at Xero and here in the words of the
# local side, the values that both last agreed on, and what was edited since.
#   x, l     field => value, or undef where the person is not
#   base     field => [ Xero's, ours ]; two values where a conflict stands
#   newer    which side edited last
my (@people, $names);

sub pick { my @list = @_; return $list[ int(rand(@list)) ]; }
sub new_name { return sprintf('P%05d %s', ++$names, pick(qw(Ann Bob Cid Dee))); }

sub new_value
{
	my ($field) = @_;
	return new_name() if $field eq 'name';
	my $text = join('', map { pick('a' .. 'z', 0 .. 9) } 1 .. 5);
	return $field eq 'email' ? pick("$text\@example.com", "$text\@example.com", '') : pick($text, "$text $text", '');
}

sub new_person { my %person = map { $_ => new_value($_) } @FIELDS; return \%person; }

# In Xero's words.
sub as_contact
{
	my ($values) = @_;
	return { map { $MEMBER{$_} => $_ eq 'surname' ? scalar reverse $values->{$_} : $values->{$_} } keys %$values };
}

# One statement for all rows that are edited the same way would hide what single
# writers do, so each edit is a transaction, but sent together.
my @statements;
sub locally { my ($sql) = @_; push(@statements, "$sql;"); return; }
sub flush { $crm->rows(join("\n", splice(@statements))) if @statements; return; }

sub literal { my ($value) = @_; return $value eq '' ? pick('NULL', "''") : XeroSync::quoted($value); }

sub create_here
{
	my ($person) = @_;
	locally('INSERT INTO crm.contacts (' . join(', ', @FIELDS) . ') VALUES (' . join(', ', map { literal($person->{l}{$_}) } @FIELDS) . ')');
	return;
}

sub create_at_xero
{
	my ($person, $seconds) = @_;
	$crm->xero_has({ %{ as_contact($person->{x}) }, UpdatedDateUTC => $crm->xero_time($seconds) });
	return;
}

sub edit_here
{
	my ($person, $set) = @_;
	locally('UPDATE crm.contacts SET ' . join(', ', map { "$_ = " . literal($set->{$_}) } sort keys %$set) . " WHERE name = '$person->{l}{name}'");
	$person->{l} = { %{ $person->{l} }, %$set };
	$person->{newer} = 'l';
	return;
}

# Xero's clock is another, so who was first must be clear by more than its
# precision.
sub edit_at_xero
{
	my ($person, $set, $newer) = @_;
	$person->{x} = { %{ $person->{x} }, %$set };
	$crm->xero_sets($person->{id}, as_contact($set), $newer ? -10 : 10);
	$person->{newer} = 'x' if $newer;
	return;
}

# Some new values of a person, or those that a side (0: Xero's, 1: ours) had when
# both last agreed.
sub some_values
{
	my ($person, $side) = @_;
	my %set = map { $_ => new_value($_) } grep { rand() < 0.4 } @FIELDS;
	foreach my $field (grep { $_ ne 'name' && $person->{base}{$_} && rand() < 0.15 } @FIELDS) { $set{$field} = $person->{base}{$field}[$side]; }
	return %set ? \%set : { email => new_value('email') };
}

# What happens between two runs.
sub round
{
	my @both = grep { $_->{x} && $_->{l} && !$_->{ended} } @people;
	foreach my $person (@both)
	{
		my $what = rand();
		if ($what < 0.15) { edit_here($person, some_values($person, 1)); }
		elsif ($what < 0.30) { edit_at_xero($person, some_values($person, 0), 1); }
		elsif ($what < 0.45)
		{
			my ($here, $there) = (some_values($person, 1), some_values($person, 0));
			my $same = pick(0, 0, 1);
			$there = { %$there, map { $_ => $here->{$_} } grep { $same } keys %$here };
			my $newer = pick(0, 1);
			edit_at_xero($person, $there, $newer);
			edit_here($person, $here);
			$person->{newer} = $newer ? 'x' : 'l';
		}
		elsif ($what < 0.48) { end_here($person); }
		elsif ($what < 0.51) { end_at_xero($person); }
		# somebody saves without a change
		elsif ($what < 0.55) { edit_here($person, { email => $person->{l}{email} }); edit_at_xero($person, { email => $person->{x}{email} }, 1); }
		elsif ($what < 0.60) { put_back($person, some_values($person, 1)); }
		elsif ($what < 0.65) { give_key($person); }
	}
	foreach (1 .. 6)
	{
		my $person = { };
		my $where = rand();
		$person->{l} = new_person() if $where < 0.7;
		$person->{x} = new_person() if $where > 0.3;
		# the same one on both sides at once, spelled otherwise
		$person->{x}{name} = uc($person->{l}{name}) if $person->{x} && $person->{l};
		$person->{newer} = pick('x', 'l');
		create_at_xero($person, $person->{newer} eq 'x' ? -10 : 10) if $person->{x};
		create_here($person) if $person->{l};
		push(@people, $person);
	}
	flush();
	return;
}

# A row is deleted, and inserted again with other values: without the id if it has
# the name that both sides agreed on, else nothing but its id says who it is.
sub put_back
{
	my ($person, $set) = @_;
	my $name = $person->{l}{name};
	$person->{l} = { %{ $person->{l} }, %$set };
	my $id = lc($person->{l}{name}) eq lc(($person->{base}{name} // [ '', '' ])->[1]) ? 'NULL' : 'r.xero_id';
	$person->{newer} = 'l';
	locally("DO \$\$ DECLARE r crm.contacts; BEGIN DELETE FROM crm.contacts WHERE name = '$name' RETURNING * INTO r; INSERT INTO crm.contacts (id, xero_id, status, "
		  . join(', ', @FIELDS) . ") VALUES (r.id, $id, r.status, " . join(', ', map { literal($person->{l}{$_}) } @FIELDS) . '); END $$');
	return;
}

# A row gets a key that a deleted one had, or a new one.
sub give_key
{
	my ($person) = @_;
	my $name = $person->{l}{name};
	locally("UPDATE crm.contacts SET id = coalesce((SELECT min(g) FROM generate_series(1, 1000) AS g WHERE g NOT IN (SELECT id FROM crm.contacts) AND g <= (SELECT last_value FROM crm.contacts_id_seq)),
		nextval('crm.contacts_id_seq')) WHERE name = '$name'");
	return;
}

sub end_here
{
	my ($person) = @_;
	locally("DELETE FROM crm.contacts WHERE name = '$person->{l}{name}'");
	$person->{l} = undef;
	$person->{deleted} = 1;
	return;
}

sub end_at_xero
{
	my ($person) = @_;
	$crm->xero_sets($person->{id}, { ContactStatus => 'ARCHIVED' });
	$person->{archived} = 1;
	$person->{ended} = 1;
	return;
}

# What a run must do, under a policy.  Returns the number of fields in conflict
# that were left for a person.
sub model_run
{
	my ($conflict, $on_delete) = @_;
	my $left = 0;
	foreach my $person (@people)
	{
		if ($person->{deleted} && !$person->{ended})
		{
			$person->{ended} = 1;
			$person->{archived} = 1 if $on_delete eq 'archive';
		}
		next if $person->{ended} && !($person->{archived} && $person->{l});
		if (!$person->{x} || !$person->{l})
		{
			$person->{x} //= { %{ $person->{l} } };
			$person->{l} //= { %{ $person->{x} } };
			$person->{base} = { map { $_ => [ $person->{x}{$_}, $person->{x}{$_} ] } @FIELDS };
			next;
		}
		foreach my $field (@FIELDS)
		{
			my ($x, $l) = ($person->{x}{$field}, $person->{l}{$field});
			my $base = $person->{base}{$field} // [ '', '' ];
			my ($x_changed, $l_changed) = ($x ne $base->[0], $l ne $base->[1]);
			my $winner =
			    $x eq $l ? 'x'
			  : $x_changed && !$l_changed ? 'x'
			  : $l_changed && !$x_changed ? 'l'
			  : !$x_changed && !$l_changed ? undef
			  : $conflict eq 'xero' ? 'x'
			  : $conflict eq 'local' ? 'l'
			  : $conflict eq 'newest' ? $person->{newer}
			  : undef;
			$left++ unless defined $winner;
			next unless defined $winner;
			my $value = $person->{$winner}{$field};
			$person->{x}{$field} = $person->{l}{$field} = $value;
			$person->{base}{$field} = [ $value, $value ];
		}
	}
	return $left;
}

# Both sides against the model.
sub check
{
	my ($name) = @_;
	my (@should_x, @should_l);
	foreach my $person (@people)
	{
		push(@should_x, join('|', $person->{archived} ? 'ARCHIVED' : 'ACTIVE', map { $person->{x}{$_} } @FIELDS));
		push(@should_l, join('|', map { $person->{l}{$_} } @FIELDS)) if $person->{l};
	}
	my $contacts = $crm->xero;
	my %id = map { $contacts->{$_}{Name} => $_ } keys %$contacts;
	$_->{id} = $id{ $_->{x}{name} } foreach @people;
	my @is_x = map { my $row = XeroSync::as_local($_); join('|', map { $row->{$_} } 'status', @FIELDS) } values %$contacts;
	my @is_l = map { my $row = $_; join('|', map { $row->{$_} // '' } @FIELDS) } values %{ $crm->local };
	return is_same(\@is_x, \@should_x, "$name: at Xero") & is_same(\@is_l, \@should_l, "$name: here");
}

sub is_same
{
	my ($is, $should, $name) = @_;
	my %count;
	$count{$_}++ foreach @$is;
	$count{$_}-- foreach @$should;
	my @wrong = map { ($count{$_} > 0 ? 'is:     ' : 'should: ') . $_ } sort { substr($a, -20) cmp substr($b, -20) } grep { $count{$_} } keys %count;
	return ok(!@wrong, $name) || !diag(join("\n", "XERO_SYNC_SEED=$seed", sort @wrong));
}

sub policy
{
	my ($conflict, $on_delete) = @_;
	my $name = "$conflict, $on_delete";
	$crm->clear;
	@people = ();
	$names = 0;
	$crm->create('crm', match_on => ['name'], conflict => $conflict, on_delete => $on_delete);
	foreach my $n (1 .. $ROUNDS)
	{
		# Its clock is another than ours.
		$sandbox->clock(pick(0, 0, 100, 5000));
		round();
		# What makes no difference: a definition that stays as it is, rows that are loaded anew.
		my $reload = q{BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts;
			TRUNCATE crm.contacts; INSERT INTO crm.contacts TABLE kept; COMMIT};
		$crm->rows(pick('SELECT', 'SELECT', q{SELECT xero_fdw.alter_sync('crm')}, $reload));
		my $run = $crm->run('crm');
		is($run->{state}, 'done', "$name, round $n") or diag($run->{text});
		my $left = model_run($conflict, $on_delete);
		is($crm->rows(q{SELECT count(*) FROM xero_fdw.sync_issues}), $left, "$name, round $n: issues");
		last unless check("$name, round $n");
	}
	settle($name) if $conflict eq 'manual';
	quiet($name);
	is_deeply([ $crm->doubles ], [], "$name: nobody is there twice");
	is_deeply([ grep { !/^contact .* has no row$/ } $crm->differences ], [], "$name: rows and their contacts are equal");
	return;
}

# A person decides all conflicts, this way and that.
sub settle
{
	my ($name) = @_;
	my $issues = JSON::PP->new->decode($crm->rows(q{SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.payload, i.field), '[]') FROM xero_fdw.sync_issues AS i}));
	cmp_ok(scalar(@$issues), '>', 3, "$name: there are conflicts");
	foreach my $issue (@$issues)
	{
		is($issue->{kind}, 'conflict', "$name: ... and nothing else");
		my ($person) = grep { $_->{id} && lc($_->{id}) eq lc($issue->{xero_id}) } @people;
		my $field = $issue->{field};
		my $side = pick('xero', 'local', $field eq 'surname' ? () : 'value');
		# also what both sides once agreed on
		my @own = (new_value($field), $field eq 'name' ? () : $person->{base}{$field}[1] // '');
		my $value = { xero => $person->{x}{$field}, local => $person->{l}{$field}, value => pick(@own) }->{$side};
		my $choice = $side eq 'value' ? JSON::PP->new->allow_nonref->encode($value) : $side;
		$crm->rows("SELECT xero_fdw.resolve_conflict($issue->{issue_id}, " . XeroSync::quoted($choice) . ')');
		$person->{x}{$field} = $person->{l}{$field} = $value;
		$person->{base}{$field} = [ $value, $value ];
	}
	is($crm->run('crm')->{state}, 'done', "$name: decided");
	is($crm->rows('SELECT count(*) FROM xero_fdw.sync_issues'), 0, "$name: no conflict is left");
	check("$name, decided");
	return;
}

# What was written is read back once; then a run is one call, and changes nothing.
sub quiet
{
	my ($name) = @_;
	$crm->advance(120);
	$crm->run('crm');
	my ($before_x, $before_l) = ($crm->xero, $crm->local);
	my $run = $crm->run('crm');
	is_deeply($run->{calls_by}, { GET => 1 }, "$name: quiet costs one call");
	is($run->{created} + $run->{updated} + $run->{pushed}, 0, "$name: ... and changes nothing");
	is_deeply($crm->xero, $before_x, "$name: ... at Xero");
	is_deeply($crm->local, $before_l, "$name: ... nor here");
	return;
}

policy('newest', 'ignore');
policy('xero', 'archive');
policy('local', 'ignore');
policy('manual', 'archive');

$crm->quit;
done_testing();
