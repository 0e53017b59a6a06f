-- Each service has a database of its own, and another one for its data keys.
create database goals;
create database goals_keys;
create database feedback;
create database feedback_keys;
create database reviews;
create database reviews_keys;
create database rewards;
create database rewards_keys;
