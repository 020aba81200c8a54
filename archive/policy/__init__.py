"""Policy is data: permissions, roles, rights, types, workflows, vocabularies, periods. No behaviour lives here."""
