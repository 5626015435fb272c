"""Sage Intacct's XML Gateway over the generated business."""
