/*-------------------------------------------------------------------------
 *
 * sent.c
 *	  Questions about what is sent, as a plan has it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/condition.h"

bool
xero_sends_whole_lists(List *sent)
{
	ListCell   *lc;

	foreach(lc, sent)
	{
		if (xero_item_from_node(lfirst(lc))->route != XERO_ROUTE_TENANT)
			return false;
	}
	return true;
}

/* Is one of the values in the condition? */
static bool
has_value_of(const XeroCondition *condition, const Bitmapset *params)
{
	ListCell   *lc;

	foreach(lc, condition->args)
	{
		if (has_value_of(lfirst(lc), params))
			return true;
	}
	foreach(lc, condition->values)
	{
		Param	   *param = lfirst(lc);

		if (IsA(param, Param) && bms_is_member(param->paramid, params))
			return true;
	}
	return false;
}

List *
xero_sent_without(List *sent, const Bitmapset *params)
{
	List	   *rest = NIL;
	ListCell   *lc;

	foreach(lc, sent)
	{
		if (!has_value_of(xero_item_from_node(lfirst(lc))->condition, params))
			rest = lappend(rest, lfirst(lc));
	}
	return rest;
}

int
xero_sent_equality(List *sent, AttrNumber *attno)
{
	int			found = -1;
	ListCell   *lc;

	foreach(lc, sent)
	{
		XeroItem   *item = xero_item_from_node(lfirst(lc));
		XeroCondition *condition = item->condition;
		Param	   *param;

		if (condition->kind != XERO_COND_COMPARE ||
			condition->op != XERO_CMP_EQ || list_length(condition->values) != 1)
			continue;
		param = linitial(condition->values);
		if (!IsA(param, Param))
			continue;
		found = param->paramid;
		*attno = condition->attno;
		if (item->route != XERO_ROUTE_TENANT)
			break;				/* picks fewer rows */
	}
	return found;
}

int
xero_sent_split(List *sent)
{
	ListCell   *lc;

	foreach(lc, sent)
	{
		XeroItem   *item = xero_item_from_node(lfirst(lc));
		Param	   *param;

		if (!item->split)
			continue;
		param = linitial(item->condition->values);
		return IsA(param, Param) ? param->paramid : -1;
	}
	return -1;
}
