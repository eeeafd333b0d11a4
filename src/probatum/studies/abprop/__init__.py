"""Antibody properties: one encoder for masked residues, CDR positions and liabilities."""
