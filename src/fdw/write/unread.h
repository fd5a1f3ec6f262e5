/*-------------------------------------------------------------------------
 *
 * unread.h
 *	  The one row of a statement that says all of it, and need not be read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_UNREAD_H
#define XERO_UNREAD_H

#include "compat.h"

#include "fdw/write/modify.h"

typedef struct XeroUnreadRow XeroUnreadRow;

/*
 * The value of the key in an UPDATE or DELETE of such a row, NULL if it is not
 * one.  It becomes the one fdw_expr of the scan that writes.
 */
extern Expr *xero_unread_key(PlannerInfo *root, const ModifyTable *plan,
							 Index rtindex);

/* NULL if the plan has no such value. */
extern XeroUnreadRow *xero_unread_row_create(ForeignScanState *node,
											 List *set_columns);

/*
 * The row, as the plan's scan would return it, in the current memory context;
 * NULL if it must be read after all.
 */
extern TupleTableSlot *xero_unread_row(XeroUnreadRow *row, XeroModify *state,
									   ExprContext *econtext);

#endif							/* XERO_UNREAD_H */
