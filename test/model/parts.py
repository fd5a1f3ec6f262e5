"""What people do to a table that has partitions: rows go away with these, and come
back, while nobody deletes them.
"""


class Parted:
    """Of a round: the partitions of its table.  The engine's new rows are in a, which
    always stays."""

    def make_parts(self):
        self.part = {}          # {row: its partition}, if that is not a
        self.present = ["a", "b"]
        self.away = {}          # {partition: what brings it back}

    def table(self, columns):
        """The statements that make it."""
        if not self.parted:
            return [f"CREATE TABLE crm.things ({columns}, PRIMARY KEY (id))"]
        return [f"CREATE TABLE crm.things ({columns}, part text NOT NULL DEFAULT 'a', PRIMARY KEY (id, part)) "
                "PARTITION BY LIST (part)",
                *(f"CREATE TABLE crm.things_{part} PARTITION OF crm.things FOR VALUES IN ('{part}')" for part in "ab")]

    def place(self, part):
        """The column that says where a row is, as SQL."""
        return {"part": f"'{part}'"} if self.parted else {}

    def placed(self, row):
        return self.place(self.part.get(row, "a"))

    def rows_of(self, part):
        return [thing for thing in self.book.things if thing.row is not None and self.part.get(thing.row) == part]

    def other_part(self):
        """One that may go away."""
        return self.rng.choice([part for part in self.present if part != "a"] or [None])

    async def shift(self):
        """A row moves to another partition."""
        thing = self.settled()
        if thing is not None and not self.book.running:
            part = self.rng.choice([part for part in self.present if part != self.part.get(thing.row, "a")] or ["a"])
            await self.here.edit(f"UPDATE crm.things SET part = '{part}' WHERE id = {thing.row}")
            self.part[thing.row] = part
            self.book.row_shifted(thing)

    async def leave(self):
        """A partition is detached, or emptied."""
        part = self.other_part()
        if part is None or part in self.away or self.book.running or not self.book.may_leave(self.rows_of(part)):
            return
        if self.rng.random() < 0.6:
            await self.here.edit(f"ALTER TABLE crm.things DETACH PARTITION crm.things_{part}")
            self.away[part] = f"ALTER TABLE crm.things ATTACH PARTITION crm.things_{part} FOR VALUES IN ('{part}')"
            self.present.remove(part)
        else:
            named = await self.identified()
            rows = [(thing.row, thing.record if thing.row in named else None, thing.here) for thing in self.rows_of(part)]
            if not rows:
                return
            await self.here.edit(f"TRUNCATE crm.things_{part}")
            self.away[part] = self.inserting(rows)
        self.book.rows_away(self.rows_of(part), True)

    async def come_back(self):
        """Rows are there again."""
        if self.away and not self.book.running:
            part = self.rng.choice(list(self.away))
            await self.here.edit(self.away.pop(part))
            if part not in self.present:
                self.present.append(part)
            self.book.rows_away([thing for thing in self.rows_of(part) if thing.away], False)

    async def rewrite(self):
        """A partition is detached, written anew, and attached again."""
        part = self.other_part()
        if part is not None and not self.book.running and part not in self.away:
            await self.here.edit(
                f"BEGIN; ALTER TABLE crm.things DETACH PARTITION crm.things_{part}; "
                f"CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.things_{part}; TRUNCATE crm.things_{part}; "
                f"INSERT INTO crm.things_{part} TABLE kept; "
                f"ALTER TABLE crm.things ATTACH PARTITION crm.things_{part} FOR VALUES IN ('{part}'); COMMIT")
            self.book.rows_away(self.rows_of(part), False)

    async def grow(self):
        """A partition with rows is attached."""
        if self.book.running or "c" in [*self.present, *self.away]:
            return
        await self.here.edit("CREATE TABLE crm.things_c (LIKE crm.things INCLUDING DEFAULTS)")
        for _ in range(self.rng.randrange(1, 4)):
            await self.insert_into("crm.things_c", "c", id=str(await self.next_key()))
        await self.here.edit("ALTER TABLE crm.things ATTACH PARTITION crm.things_c FOR VALUES IN ('c')")
        self.present.append("c")
        for thing in self.rows_of("c"):
            self.book.row_shifted(thing)
