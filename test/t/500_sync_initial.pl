# The first run of a sync, in its four modes, over 2,000 contacts at Xero and
# 2,000 rows here, of which half are the same people: what each side has
# afterwards, and what that cost.
#
# Person n is at Xero if n <= 2000 and here if n > 1000; those on both sides
# differ by n modulo 5.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSync;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 0, '--invoices', 0, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 });
my $crm = XeroSync->new($xero);
my $sandbox = $xero->sandbox;

sub at_xero
{
	my ($n) = @_;
	my %contact = (Name => "Person $n", EmailAddress => "p$n\@example.com", FirstName => "First $n", LastName => "Last $n");
	$contact{EmailAddress} = '' if $n > 1000 && $n % 5 == 1;
	return \%contact;
}

sub here
{
	my ($n) = @_;
	my %row = (name => "Person $n", email => "p$n\@example.com", first => "First $n", surname => scalar reverse "Last $n");
	return \%row if $n > 2000;
	delete $row{email} if $n % 5 == 2;
	$row{email} = "other$n\@example.com" if $n % 5 == 3;
	$row{name} = " PERSON $n " if $n % 5 == 4;
	return \%row;
}

# The contacts and rows of a mode after its first run, as "name|email", by n.
# What a mode does to those on both sides is in $both: the side that wins for
# each kind of difference, '=' for none.
sub expected
{
	my ($both, %unmatched) = @_;
	my (%at_xero, %here);
	foreach my $n (1 .. 3000)
	{
		my ($x, $h) = (at_xero($n), here($n));
		my %as = (xero => "$x->{Name}|" . $x->{EmailAddress}, local => "$h->{name}|" . ($h->{email} // ''));
		my $side = $n > 1000 && $n <= 2000 ? $both->[ $n % 5 ] : undef;
		if ($n <= 1000)
		{
			$at_xero{$n} = $as{xero};
			$here{$n} = $as{xero} if $unmatched{to_local};
		}
		elsif ($n > 2000)
		{
			$here{$n} = $as{local};
			$at_xero{$n} = $as{local} if $unmatched{to_xero};
		}
		else
		{
			$at_xero{$n} = $as{ $side eq '=' ? 'xero' : $side };
			$here{$n} = $as{ $side eq '=' ? 'local' : $side };
		}
	}
	return (\%at_xero, \%here);
}

sub number { my ($name) = @_; return $name =~ /(\d+)/ ? $1 : $name; }

# One mode: its first run, what both sides then have, and that nothing is left
# to do.  $calls are those of the first run; $echo is how many requests it takes
# to read what the first run wrote.
sub mode
{
	my ($name, $option, $at_xero, $here, $calls, $echo) = @_;
	$crm->clear;
	$crm->xero_has(map { at_xero($_) } 1 .. 2000);
	$crm->local_has(map { here($_) } 1001 .. 3000);
	$crm->create('crm', match_on => ['name'], %$option);

	my $run = $crm->run('crm');
	is($run->{state}, 'done', "$name: runs") or diag($run->{text});
	is_deeply($run->{calls_by}, $calls, "$name: calls");
	is($run->{calls}, scalar @{ $run->{lines} }, "$name: ... as the run says");
	is($run->{pulled}, 2000, "$name: reads all contacts");
	is($run->{issues}, 0, "$name: without issues");

	my ($x, $l) = ($crm->xero, $crm->local);
	is_deeply({ map { number($_->{Name}) => "$_->{Name}|" . ($_->{EmailAddress} // '') } values %$x }, $at_xero, "$name: at Xero");
	is_deeply({ map { number($_->{name}) => "$_->{name}|" . ($_->{email} // '') } values %$l }, $here, "$name: here");
	is_deeply([ $crm->doubles ], [], "$name: nobody is there twice");
	my %knows = map { number($_->{name}) => number($x->{ lc($_->{xero_id}) }{Name}) } grep { $_->{xero_id} } values %$l;
	is_deeply(\%knows, { map { $_ => $_ } grep { $at_xero->{$_} } keys %$here }, "$name: rows know their contacts, and no others");

	# What was written comes back, and is recognised; then there is nothing.
	$crm->advance(120);
	$run = $crm->run('crm');
	is_deeply($run->{calls_by}, { GET => $echo }, "$name: what was written is read") or diag(join("\n", @{ $run->{lines} }));
	is($run->{created} + $run->{updated}, 0, "$name: ... and changes nothing");
	$run = $crm->run('crm');
	is_deeply($run->{calls_by}, { GET => 1 }, "$name: an unchanged run is one call");
	is_deeply([ map { $run->{$_} } qw(state pulled created updated calls) ], [ 'done', 0, 0, 0, 1 ], "$name: ... that brings nothing");
	return;
}

# Who comes after the first run is created on the other side.
sub new_ones
{
	my ($name) = @_;
	$crm->local_has({ name => 'New here' });
	$crm->xero_has({ Name => 'New at Xero', UpdatedDateUTC => $crm->xero_time(0) });
	my $run = $crm->run('crm');
	is_deeply($run->{calls_by}, { GET => 1, PUT => 1 }, "$name: new ones on both sides");
	is(scalar(grep { $_->{Name} eq 'New here' } values %{ $crm->xero }), 1, "$name: ... ours is at Xero, once");
	is(scalar(grep { $_->{name} eq 'New at Xero' } values %{ $crm->local }), 1, "$name: ... and Xero's here, once");
	return;
}

# new_only: nobody who is there already changes, and nobody is created.
my ($at_xero, $here) = expected([qw(= = = = =)]);
mode('new_only', { initial => 'new_only' }, $at_xero, $here, { GET => 2 }, 1);
new_ones('new_only');

# merge: gaps are filled from the other side, differences go by the policy,
# and all others are created.
($at_xero, $here) = expected([qw(= local xero xero xero)], to_local => 1, to_xero => 1);
mode('merge', { initial => 'merge', conflict => 'xero' }, $at_xero, $here, { GET => 2, PUT => 20, POST => 4 }, 2);
is_deeply([ $crm->differences ], [], 'merge: both sides are equal');
($at_xero, $here) = expected([qw(= local xero local local)], to_local => 1, to_xero => 1);
mode('merge, ours', { initial => 'merge', conflict => 'local' }, $at_xero, $here, { GET => 2, PUT => 20, POST => 12 }, 2);
is_deeply([ $crm->differences ], [], 'merge, ours: both sides are equal');

# xero_to_local: Xero's values win, and its contacts become rows.
($at_xero, $here) = expected([qw(= xero xero xero xero)], to_local => 1);
mode('xero_to_local', { initial => 'xero_to_local' }, $at_xero, $here, { GET => 2 }, 1);
new_ones('xero_to_local');
$crm->rows(q{UPDATE crm.contacts SET email = 'edited@example.com' WHERE name = 'Person 2500'});
is_deeply($crm->run('crm')->{calls_by}, { GET => 1, PUT => 1 }, 'xero_to_local: a row that was left out is edited');
is_deeply([ map { $_->{EmailAddress} } grep { $_->{Name} eq 'Person 2500' } values %{ $crm->xero } ], ['edited@example.com'], '... and created');

# local_to_xero: the other way round.
($at_xero, $here) = expected([qw(= local local local local)], to_xero => 1);
mode('local_to_xero', { initial => 'local_to_xero' }, $at_xero, $here, { GET => 2, PUT => 20, POST => 16 }, 2);
new_ones('local_to_xero');
my ($left_out) = grep { $_->{Name} eq 'Person 500' } values %{ $crm->xero };
$crm->xero_sets($left_out->{ContactID}, { EmailAddress => 'edited@example.com' });
is_deeply($crm->run('crm')->{calls_by}, { GET => 1 }, 'local_to_xero: a contact that was left out is edited');
is_deeply([ map { $_->{email} } grep { $_->{name} eq 'Person 500' } values %{ $crm->local } ], ['edited@example.com'], '... and created');

# push: what rows say is sent, also if conflict is xero; where they say nothing, nothing
# is emptied but by local_to_xero.  Later, it is.
foreach my $case ([ merge => 'theirs@example.com 5' ], [ xero_to_local => 'theirs@example.com 5' ],
	[ local_to_xero => ' 5' ], [ new_only => 'theirs@example.com 77' ])
{
	my ($initial, $says) = @$case;
	$crm->clear;
	my ($ann) = map { lc } $crm->xero_has({ Name => 'Ann', EmailAddress => 'theirs@example.com', CompanyNumber => '77' });
	my $is = sub { return ($crm->xero->{$ann}{EmailAddress} // '') . ' ' . $crm->xero->{$ann}{CompanyNumber}; };
	$crm->local_has({ name => 'Ann', account => '5' });
	$crm->create('crm', direction => 'push', match_on => ['name'], conflict => 'xero', initial => $initial);
	$crm->run('crm');
	is($is->(), $says, "push, $initial");
	$crm->quiet("push, $initial");
	$crm->rows(q{UPDATE crm.contacts SET email = 'ours@example.com'});
	$crm->run('crm');
	$crm->rows(q{UPDATE crm.contacts SET email = NULL});
	$crm->run('crm');
	is($is->(), $says =~ s/^\S*//r, '... and a value that goes here goes there');
}

$crm->quit;
done_testing();
