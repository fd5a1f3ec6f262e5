/*-------------------------------------------------------------------------
 *
 * window.c
 *	  The rows that a plan with LIMIT and OFFSET wants (plan/limit.c).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "utils/builtins.h"

bool
xero_read_window(ForeignScan *plan, XeroRowWindow *window)
{
	List	   *list = list_nth(plan->fdw_private, XERO_SCAN_WINDOW);

	if (list == NIL)
		return false;
	window->offset = pg_strtoint64(castNode(Float, linitial(list))->fval);
	window->rows = pg_strtoint64(castNode(Float, lsecond(list))->fval);
	window->whole_row = boolVal(lthird(list));
	return true;
}

int64
xero_window_page(const XeroObject *object, List *requests, int page_size,
				 int64 offset)
{
	if (offset == 0 || list_length(requests) != 1 ||
		((XeroRequest *) linitial(requests))->single)
		return 1;
	return offset / xero_pager_page_size(object, page_size) + 1;
}
