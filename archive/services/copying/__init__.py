"""复制窗口: copies of records for patients, agents, insurers and authorities, and what is said of them afterwards."""
